import assert from 'node:assert/strict';
import {
  InvalidOptionError,
  type Gap,
  type JobFilter,
  type Page,
  type RunFilter,
  type StorageAdapter,
} from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  fireDue,
  fireOne,
  hour,
  minute,
  only,
  recurring,
  ref,
  second,
  settle,
  startWorker,
} from './fixture.js';

/** Asserts which jobs meet the filter, by query and by count. */
async function assertFound(storage: StorageAdapter, filter: JobFilter, ids: string[]): Promise<void> {
  const { items } = await storage.queryJobs(filter, { limit: 100 });
  assert.deepEqual(
    items.map((job) => job.id),
    ids,
    `Wrong jobs for ${JSON.stringify(filter)}.`,
  );
  assert.equal(await storage.countJobs(filter), ids.length, `Wrong count for ${JSON.stringify(filter)}.`);
}

/** All ids, page by page; `between` is called after each page. */
async function idsByPages(
  storage: StorageAdapter,
  limit: number,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let page = 1; page === 1 || cursor !== null; page++) {
    const { items, cursor: next } = await storage.queryJobs(
      {},
      cursor === null ? { limit } : { limit, cursor },
    );
    assert.ok(items.length <= limit, 'A page should not be longer than its limit.');
    ids.push(...items.map((job) => job.id));
    cursor = next;
    await between(page);
    assert.ok(page < 100, 'Paging should come to an end.');
  }
  return ids;
}

export const queryLaws = lawsOf('query', {
  'orders jobs by namespace and id, code point by code point': async ({ storage }) => {
    const ids = ['b', 'B', 'a10', 'a2', '_', 'é', 'z', '\u{FFFD}', '\u{1F600}', '-'];
    for (const id of ids) await addRecurring(storage, { id });
    await addOneOff(storage, { id: 'zz', namespace: 'Alpha' });
    const { items, cursor } = await storage.queryJobs({}, {});
    assert.deepEqual(
      items.map((job) => job.id),
      ['zz', '-', 'B', '_', 'a10', 'a2', 'b', 'z', 'é', '\u{FFFD}', '\u{1F600}'],
    );
    assert.equal(cursor, null);
  },

  'filters by namespace, handler, queue, source and app': async ({ storage }) => {
    await addRecurring(storage, { id: 'a', handler: 'mail', queue: 'fast' });
    await addOneOff(storage, { id: 'b', handler: 'mail', queue: 'slow' });
    await addRecurring(storage, { id: 'c', handler: 'report', queue: 'slow', namespace: 'other' });
    await assertFound(storage, { namespace: 'default' }, ['a', 'b']);
    await assertFound(storage, { handler: 'mail' }, ['a', 'b']);
    await assertFound(storage, { handler: ['report', 'nobody'] }, ['c']);
    await assertFound(storage, { queue: ['slow'] }, ['b', 'c']);
    await assertFound(storage, { queue: 'slow', handler: 'mail' }, ['b']);
    await assertFound(storage, { source: 'api' }, ['a', 'b', 'c']);
    await assertFound(storage, { source: 'code' }, []);
    await assertFound(storage, { app: 'shop' }, []);
    await assertFound(storage, { handler: [] }, []);
  },

  'filters by trigger type': async ({ storage }) => {
    await addRecurring(storage, { id: 'cron' });
    await addRecurring(storage, { id: 'interval', trigger: { type: 'interval', every: 1_000 } });
    await addOneOff(storage, { id: 'once' });
    await addRecurring(storage, { id: 'by-hand', trigger: { type: 'manual' }, dueInMs: null });
    await assertFound(storage, { triggerType: 'at' }, ['once']);
    await assertFound(storage, { triggerType: ['cron', 'interval'] }, ['cron', 'interval']);
    await assertFound(storage, { triggerType: 'manual' }, ['by-hand']);
  },

  'filters by state': async ({ storage }) => {
    await addRecurring(storage, { id: 'later', dueInMs: hour });
    await addOneOff(storage, { id: 'held' });
    await storage.pauseJob(ref('held'), { reason: null, by: null });
    await addOneOff(storage, { id: 'run' });
    await claimOne(storage, await startWorker(storage));
    await assertFound(storage, { state: 'pending' }, ['later']);
    await assertFound(storage, { state: ['paused', 'running'] }, ['held', 'run']);
    await assertFound(storage, { state: 'failed' }, []);
    await assertFound(storage, { state: 'running', triggerType: 'at' }, ['run']);
  },

  'takes no character of an id prefix for a wildcard': async ({ storage }) => {
    for (const id of ['a_b', 'axb', 'a%b', 'a\\b', 'A_b']) await addRecurring(storage, { id });
    await assertFound(storage, { idPrefix: 'a_' }, ['a_b']);
    await assertFound(storage, { idPrefix: 'a%' }, ['a%b']);
    await assertFound(storage, { idPrefix: 'a\\' }, ['a\\b']);
    await assertFound(storage, { idPrefix: 'a' }, ['a%b', 'a\\b', 'a_b', 'axb']);
    await assertFound(storage, { idPrefix: '' }, ['A_b', 'a%b', 'a\\b', 'a_b', 'axb']);
  },

  'filters by ids, those of no job among them': async ({ storage }) => {
    for (const id of ['a', 'b', "o'c"]) await addRecurring(storage, { id });
    await addOneOff(storage, { id: 'once' });
    await addOneOff(storage, { id: 'a', namespace: 'other' });
    await assertFound(storage, { id: 'b' }, ['b']);
    await assertFound(storage, { id: ["o'c", 'once', 'nobody', 'b', 'b'] }, ['b', "o'c", 'once']);
    await assertFound(storage, { id: ['a', 'b'], namespace: 'default' }, ['a', 'b']);
    await assertFound(storage, { id: 'a' }, ['a', 'a']);
    await assertFound(storage, { id: ['a', 'once'], triggerType: 'at', namespace: 'default' }, ['once']);
    await assertFound(storage, { id: [] }, []);
  },

  'filters runs by ids, what is none among them': async ({ storage }) => {
    for (const id of ['a', 'b', 'c']) await addOneOff(storage, { id });
    const [c, b, a] = (await storage.queryRuns({}, {})).items.map(({ id }) => id);
    const found = async (filter: RunFilter) =>
      (await storage.queryRuns(filter, {})).items.map(({ id }) => id);
    assert.deepEqual(await found({ runId: [a!, 'none', c!, '99999999999999999999', a!] }), [c, a]);
    assert.deepEqual(await found({ runId: b! }), [b]);
    assert.deepEqual(await found({ runId: [b!], jobId: 'a' }), []);
    assert.deepEqual(await found({ runId: [] }), []);
  },

  'filters by metadata on nested paths': async ({ storage }) => {
    await addRecurring(storage, {
      id: 'a',
      metadata: { team: { name: 'core', level: 2 }, tags: ['x', 'y'] },
    });
    await addOneOff(storage, { id: 'b', metadata: { team: { name: 'core' }, active: true } });
    await addRecurring(storage, { id: 'c', metadata: { team: 'core', owner: null, tags: 'y' } });
    await addRecurring(storage, { id: 'd', metadata: { team: null, tags: { y: 'y' } } });
    await addRecurring(storage, { id: 'e', metadata: { team: ['core'], count: 0 } });
    await assertFound(storage, { metadata: { team: { name: 'core' } } }, ['a', 'b']);
    await assertFound(storage, { metadata: { team: { name: 'core', level: 2 } } }, ['a']);
    await assertFound(storage, { metadata: { team: { level: '2' } } }, []);
    await assertFound(storage, { metadata: { team: 'core' } }, ['c']);
    await assertFound(storage, { metadata: { active: true } }, ['b']);
    await assertFound(storage, { metadata: { owner: null } }, ['c']);
    await assertFound(storage, { metadata: { tags: ['y'] } }, ['a']);
    await assertFound(storage, { metadata: { team: {} } }, ['a', 'b']);
    await assertFound(storage, { metadata: { team: null } }, ['d']);
    await assertFound(storage, { metadata: { count: false } }, []);
    await assertFound(storage, { metadata: { name: 'core' } }, []);
    await assertFound(storage, { metadata: {} }, ['a', 'b', 'c', 'd', 'e']);
  },

  'joins all conditions by "and"': async ({ storage }) => {
    await addRecurring(storage, { id: 'x-1', metadata: { a: 1 }, handler: 'h', queue: 'q' });
    await addRecurring(storage, { id: 'x-2', metadata: { a: 2 }, handler: 'h', queue: 'q' });
    await addRecurring(storage, { id: 'y-1', metadata: { a: 1 }, handler: 'h', queue: 'q' });
    const filter: JobFilter = {
      idPrefix: 'x',
      metadata: { a: 1 },
      handler: 'h',
      queue: 'q',
      state: 'pending',
    };
    await assertFound(storage, filter, ['x-1']);
    await assertFound(storage, { ...filter, namespace: 'other' }, []);
  },

  'gives every job once, page by page': async ({ storage }) => {
    const ids = Array.from({ length: 11 }, (_, index) => `job-${String(index).padStart(2, '0')}`);
    for (const id of ids) await (id.endsWith('3') ? addOneOff : addRecurring)(storage, { id });
    assert.deepEqual(await idsByPages(storage, 4), ids);
    assert.deepEqual(await idsByPages(storage, 11), ids);
    assert.deepEqual(await idsByPages(storage, 1), ids);
  },

  'keeps the place of a page while jobs come and go': async ({ storage }) => {
    for (const id of ['b', 'd', 'f', 'h', 'j']) await addRecurring(storage, { id });
    const ids = await idsByPages(storage, 2, async (page) => {
      if (page !== 1) return;
      // The job that the page ended with goes; others come before and after its place.
      await storage.deleteJob(ref('d'));
      await addRecurring(storage, { id: 'a' });
      await addRecurring(storage, { id: 'e' });
    });
    assert.deepEqual(ids, ['b', 'd', 'e', 'f', 'h', 'j']);
  },

  'gives a hundred jobs when no limit is named': async ({ storage }) => {
    const template = await recurring(storage, { dueInMs: minute });
    const ids = Array.from({ length: 101 }, (_, index) => `job-${String(index).padStart(3, '0')}`);
    await storage.insertJobs(
      ids.map((id) => ({ ...template, id })),
      'raise',
    );
    const first = await storage.queryJobs({}, {});
    assert.equal(first.items.length, 100);
    const rest = await storage.queryJobs({}, { cursor: first.cursor! });
    assert.deepEqual(
      rest.items.map((job) => job.id),
      ['job-100'],
    );
  },

  'gives runs newest first, by job and state, page by page': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage);
    await fireDue(storage, worker, { overlap: 'allow', room: 1 });
    for (let index = 0; index < 3; index++) await storage.runNow(ref('job'));
    await addOneOff(storage, { id: 'other' });
    const { items } = await storage.queryRuns({ jobId: 'job' }, {});
    assert.equal(items.length, 4);
    assert.equal(items.at(-1)?.origin, 'schedule');
    assert.equal(only((await storage.queryRuns({ state: 'running' }, {})).items, 'run').origin, 'schedule');
    assert.equal((await storage.queryRuns({ state: ['running', 'waiting'] }, {})).items.length, 5);
    assert.equal((await storage.queryRuns({ namespace: 'other' }, {})).items.length, 0);
    const first = await storage.queryRuns({ jobId: 'job' }, { limit: 3 });
    const rest = await storage.queryRuns({ jobId: 'job' }, { limit: 3, cursor: first.cursor! });
    assert.deepEqual([...first.items, ...rest.items], items);
    assert.equal(rest.cursor, null);
  },

  'gives the ledger newest first, filtered, page by page': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: hour });
    await addRecurring(storage);
    const run = await fireOne(storage, worker);
    await settle(storage, run, { outcome: 'failed', error: 'one', retryInMs: -second });
    await clock.advance(minute);
    await settle(storage, await claimOne(storage, worker), {
      outcome: 'timed_out',
      error: 'two',
      retryInMs: -second,
    });
    await clock.advance(minute);
    await settle(storage, await claimOne(storage, worker), { result: 3 });
    await clock.advance(minute);
    await addOneOff(storage, { id: 'other' });
    await settle(storage, await claimOne(storage, worker));

    const all = await attemptsOf(storage);
    assert.deepEqual(
      all.map((row) => [row.jobId, row.outcome]),
      [
        ['other', 'succeeded'],
        ['job', 'succeeded'],
        ['job', 'timed_out'],
        ['job', 'failed'],
      ],
    );
    assert.equal((await attemptsOf(storage, { jobId: 'job' })).length, 3);
    assert.equal((await attemptsOf(storage, { runId: run.id, finalOnly: true })).length, 1);
    assert.equal((await attemptsOf(storage, { outcome: ['failed', 'timed_out'] })).length, 2);
    assert.equal((await attemptsOf(storage, { outcome: 'succeeded', namespace: 'default' })).length, 2);
    assert.equal((await attemptsOf(storage, { namespace: 'other' })).length, 0);
    const first = await storage.queryAttempts({}, { limit: 3 });
    const rest = await storage.queryAttempts({}, { limit: 3, cursor: first.cursor! });
    assert.deepEqual([...first.items, ...rest.items], all);
  },

  'gives every gap once, those of one moment too, while others come, end and go': async ({ storage }) => {
    const worker = await startWorker(storage);
    const { nextRunAt } = await addRecurring(storage, { id: 'a', dueInMs: -hour });
    for (const id of ['b', 'c']) await addRecurring(storage, { id, dueInMs: -hour });
    const from = nextRunAt!.getTime();
    const addAll = async (reason: string): Promise<void> => {
      // Of all jobs, by one statement, and of the same instants each time.
      const gap = { from, until: from, verdict: 'missed', count: 1, reason } as const;
      await fireDue(storage, worker, { births: [], gaps: [gap, gap], nextAt: from + minute });
    };
    await addAll('first');
    await storage.pauseJob(ref('a'), { reason: null, by: null });
    await addAll('second');
    const keyOf = ({ jobId, reason, verdict, from: at }: Gap): string =>
      [jobId, verdict, reason, at.toISOString()].join(' ');
    const expected = (await storage.queryGaps({}, { limit: 1_000 })).items.map(keyOf);
    assert.equal(expected.length, 11);
    for (const limit of [1, 2, 4, 10, 11]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<Gap> = await storage.queryGaps({}, cursor === null ? { limit } : { limit, cursor });
        assert.ok(page.items.length <= limit, 'A page should not be longer than its limit.');
        seen.push(...page.items.map(keyOf));
        cursor = page.cursor;
      } while (cursor !== null && seen.length < 100);
      assert.deepEqual(seen, expected, `By pages of ${limit}.`);
    }
    const first = await storage.queryGaps({}, { limit: 3 });
    // The open one ends, and newer ones come before the place where the page ended.
    await storage.resumeJob(ref('a'), (job, now) => ({
      nextAt: now + hour,
      gap: { from: job.pausedFrom!, until: job.pausedFrom!, verdict: 'paused', count: 1, reason: 'paused' },
    }));
    await addAll('third');
    const second = await storage.queryGaps({}, { limit: 100, cursor: first.cursor! });
    const jobsOf = (keys: readonly string[]): string[] => keys.map((key) => key.split(' ', 2).join(' '));
    assert.deepEqual(jobsOf([...first.items, ...second.items].map(keyOf)), jobsOf(expected));
    assert.equal(second.cursor, null);
  },

  'refuses a page cursor that no page had, as a mistake of the caller': async ({ storage }) => {
    await addOneOff(storage, { id: 'job' });
    const worker = await startWorker(storage);
    await settle(storage, await claimOne(storage, worker));
    await addOneOff(storage, { id: 'waiting' });
    await addOneOff(storage, { id: 'waits too' });
    await addRecurring(storage, { id: 'missed' });
    const gap = { from: 0, until: 0, verdict: 'missed', count: 1, reason: '' } as const;
    await fireDue(storage, worker, { births: [], gaps: [gap, gap] });
    for (const cursor of [
      '',
      'nonsense',
      'null',
      '{}',
      '[]',
      '[1,2,3,4,5]',
      '[null]',
      '["a",["b"]]',
      '[{}]',
    ]) {
      for (const query of [
        () => storage.queryJobs({}, { cursor }),
        () => storage.queryRuns({}, { cursor }),
        () => storage.queryAttempts({}, { cursor }),
        () => storage.queryGaps({}, { cursor }),
      ]) {
        await assert.rejects(query, InvalidOptionError, `Not refused: ${cursor}`);
      }
    }
  },
});
