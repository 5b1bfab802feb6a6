import assert from 'node:assert/strict';
import type { JobStore, StorageAdapter, JoinableTransaction } from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  hour,
  minute,
  oneOff,
  only,
  recurring,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';

type Joined = (jobs: JobStore) => Promise<void>;
const pause = { reason: 'audit', by: 'ada' };
const goOn = () => ({ nextAt: null, gap: null });

/** What the laws do within a transaction, and what must be true of it once it is committed, and only then. */
interface Deed {
  prepare?(storage: StorageAdapter): Promise<void>;
  readonly act: Joined;
  /** What is looked at. */
  readonly seen: (store: JobStore) => Promise<unknown>;
}

const one = ref('job');
const state = async (store: JobStore) => (await store.getJob(one))?.state ?? null;
const runCount = async (store: JobStore) => (await store.queryRuns({}, {})).items.length;
const failedRun = async (store: JobStore) =>
  only((await store.queryRuns({ state: 'failed' }, {})).items, 'failed run').id;
const withJob = async (storage: StorageAdapter) => void (await addRecurring(storage));
const withOneOff = async (storage: StorageAdapter) => void (await addOneOff(storage, { dueInMs: hour }));
const withFailure = async (storage: StorageAdapter) => {
  await addOneOff(storage);
  const run = await claimOne(storage, await startWorker(storage));
  await settle(storage, run, { outcome: 'failed', error: 'boom' });
};

const deeds: Record<string, (subject: StorageSubject) => Promise<Deed>> = {
  'a one-off': async ({ storage }) => {
    const job = await oneOff(storage, { dueInMs: hour });
    return { act: async (jobs) => void (await jobs.insertJobs([job], 'raise')), seen: state };
  },
  'a recurring job': async ({ storage }) => {
    const job = await recurring(storage, { dueInMs: hour });
    return {
      act: async (jobs) => void (await jobs.insertJobs([job], 'raise')),
      seen: (store) => store.countJobs({}),
    };
  },
  'a replacement': async ({ storage }) => {
    const job = await recurring(storage, { payload: 'new', dueInMs: hour });
    return {
      prepare: withJob,
      act: async (jobs) => void (await jobs.insertJobs([job], 'replace')),
      seen: async (store) => (await store.getJob(one))?.payload,
    };
  },
  'an update': async () => ({
    prepare: withJob,
    act: async (jobs) => void (await jobs.updateJob(one, { payload: 'new' })),
    seen: async (store) => (await store.queryJobs({}, {})).items[0].payload,
  }),
  'a pause': async () => ({
    prepare: withJob,
    act: async (jobs) => void (await jobs.pauseJob(one, pause)),
    seen: state,
  }),
  'a resumption': async () => ({
    prepare: async (storage) => {
      await addRecurring(storage);
      await storage.pauseJob(one, pause);
    },
    act: async (jobs) => void (await jobs.resumeJob(one, goOn)),
    seen: state,
  }),
  'a deletion': async () => ({
    prepare: withJob,
    act: async (jobs) => void (await jobs.deleteJob(one)),
    seen: state,
  }),
  'a cancellation of a job': async () => ({
    prepare: withOneOff,
    act: async (jobs) => void (await jobs.cancelJob(one)),
    seen: async (store) => (await store.queryAttempts({}, {})).items.length + (await runCount(store)) * 10,
  }),
  'a cancellation of a run': async ({ storage }) => ({
    prepare: withOneOff,
    act: async (jobs) => {
      const run = only(await runsOf(storage), 'run');
      await jobs.cancelRun(run.id);
    },
    seen: state,
  }),
  'a run by hand': async () => ({
    prepare: withJob,
    act: async (jobs) => void (await jobs.runNow(one)),
    seen: runCount,
  }),
  'a backfill': async ({ storage }) => {
    const instants = [(await storage.now()) - hour];
    const order = { instants, overlap: 'allow', includeSucceeded: false, dryRun: false } as const;
    return {
      prepare: async (store) => void (await addRecurring(store, { dueInMs: hour })),
      act: async (jobs) => void (await jobs.backfill(one, order)),
      seen: runCount,
    };
  },
  'a one-off run now': async () => ({
    prepare: withOneOff,
    act: async (jobs) => void (await jobs.runNow(one)),
    seen: async (store) => (await store.queryRuns({}, {})).items[0].dueAt,
  }),
  'a pause of a scope': async () => ({
    act: async (jobs) => void (await jobs.pauseScope({ kind: 'all', name: '' }, pause)),
    seen: async (store) => (await store.queryPauses()).length,
  }),
  'the end of a pause of a scope': async () => ({
    prepare: async (storage) => void (await storage.pauseScope({ kind: 'all', name: '' }, pause)),
    act: async (jobs) => void (await jobs.resumeScope({ kind: 'all', name: '' }, goOn)),
    seen: async (store) => (await store.queryPauses()).length,
  }),
  'a retry of what gave up': async ({ storage }) => ({
    prepare: withFailure,
    act: async (jobs) => void (await jobs.retryRuns([await failedRun(storage)])),
    seen: state,
  }),
  'a verdict from outside': async ({ storage }) => ({
    prepare: async () => {
      await addOneOff(storage);
      const run = await claimOne(storage, await startWorker(storage));
      await settle(storage, run, { outcome: 'opened' });
    },
    act: async (jobs) => {
      const run = only((await jobs.queryRuns({ state: 'open' }, {})).items, 'open run');
      const ended = await jobs.settleOpen(run.id, ({ id: runId, fence, worker }, now) => ({
        ...{ runId, fence, worker, startedAt: now, finishedAt: now, retryAt: null },
        ...{ outcome: 'succeeded', error: null, result: null },
      }));
      assert.equal(ended, true);
    },
    seen: runCount,
  }),
  'a discarding of what gave up': async ({ storage }) => ({
    prepare: withFailure,
    act: async (jobs) => void (await jobs.discardRuns([await failedRun(storage)])),
    seen: state,
  }),
};

/** The same promises for everything that can be done; of storages that have no transactions nothing is asked. */
const deedLaws = Object.entries(deeds).map(([what, make]) => [
  `of ${what} exists for others exactly if the transaction commits`,
  async (subject: StorageSubject): Promise<void> => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    const deed = await make(subject);
    const { act, seen } = deed;
    await deed.prepare?.(storage);
    const before = await seen(storage);
    const undone = new Error('undone');
    let within: unknown;
    await assert.rejects(
      transact(subject, async (jobs) => {
        await act(jobs);
        within = await seen(jobs);
        assert.notDeepEqual(within, before, 'The transaction should see what it has done.');
        assert.deepEqual(await seen(storage), before, 'Others should not see it before the commit.');
        throw undone;
      }),
      undone,
    );
    assert.deepEqual(await seen(storage), before, 'A rolled back transaction should have done nothing.');
    await transact(subject, act);
    assert.deepEqual(await seen(storage), within, 'Others should see it after the commit.');
  },
]);

export const joinLaws = lawsOf('a transaction of the caller', {
  ...(Object.fromEntries(deedLaws) as Record<string, (subject: StorageSubject) => Promise<void>>),

  'goes on when an id is taken': async (subject) => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    const taken = await addRecurring(storage);
    const again = await recurring(storage);
    const other = await oneOff(storage, { id: 'other', dueInMs: hour });
    await transact(subject, async (jobs) => {
      assert.deepEqual(await jobs.insertJobs([again], 'raise'), [{ status: 'conflict' }]);
      const [existing] = await jobs.insertJobs([again], 'ignore');
      assert.ok(existing.status === 'existing' && existing.job.revision === taken.revision);
      assert.equal((await jobs.insertJobs([other], 'raise'))[0].status, 'created');
      // Taken within the transaction itself.
      assert.deepEqual(await jobs.insertJobs([other], 'raise'), [{ status: 'conflict' }]);
      assert.deepEqual(await jobs.insertJobs([{ ...other, newId: true }], 'raise'), [{ status: 'conflict' }]);
    });
    assert.equal(await storage.countJobs({}), 2);
  },

  'goes on after a call that rejects, which has done nothing': async (subject) => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    await addRecurring(storage);
    await storage.pauseJob(one, pause);
    const broken = new Error('no plan');
    const other = await oneOff(storage, { id: 'other', dueInMs: hour });
    await transact(subject, async (jobs) => {
      await jobs.insertJobs([other], 'raise');
      const failing = jobs.resumeJob(one, () => {
        throw broken;
      });
      await assert.rejects(failing, broken);
      assert.equal(await state(jobs), 'paused');
    });
    assert.deepEqual([await state(storage), await storage.countJobs({})], ['paused', 2]);
  },

  'has its calls take turns': async (subject) => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    await addRecurring(storage);
    await addRecurring(storage, { id: 'paused' });
    await storage.pauseJob(ref('paused'), pause);
    const others = await Promise.all(
      Array.from({ length: 8 }, (_, i) => oneOff(storage, { id: `other-${i % 6}`, dueInMs: hour })),
    );
    await transact(subject, async (jobs) => {
      // One that fails must not take back what the others do meanwhile.
      const broken = new Error('no plan');
      const plan = (): never => {
        throw broken;
      };
      const failing = assert.rejects(jobs.resumeJob(ref('paused'), plan), broken);
      const inserted = Promise.all(others.map((job) => jobs.insertJobs([job], 'raise')));
      const updated = Promise.all([1, 2, 3].map((payload) => jobs.updateJob(one, { payload })));
      const results = (await inserted).map(([{ status }]) => status);
      assert.equal(results.filter((status) => status === 'created').length, 6);
      await updated;
      await failing;
    });
    assert.equal(await storage.countJobs({}), 8);
    assert.equal((await storage.getJob(one))?.revision, 4);
  },

  'finds what happened to a running job, and leaves the run to its worker': async (subject) => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: hour });
    const run = await fireOne(storage, worker);
    await transact(subject, async (jobs) => {
      assert.equal(await state(jobs), 'running');
      await jobs.updateJob(one, { payload: 'new' });
      await jobs.pauseJob(one, pause);
    });
    await settle(storage, run);
    assert.equal(await state(storage), 'paused');
    await addOneOff(storage, { id: 'other' });
    const second = await claimOne(storage, worker);
    await transact(subject, async (jobs) => void (await jobs.cancelRun(second.id)));
    assert.deepEqual((await storage.renew(worker.workerId, hour, 1)).cancelled, [second.id]);
    await settle(storage, second, { outcome: 'failed', error: 'aborted', retryInMs: minute });
    assert.equal((await storage.getJob(ref('other')))?.state, 'failed', 'There should be no retry.');
  },

  'knows the time and the workers': async (subject) => {
    const { storage } = subject;
    if (storage.joined === undefined) return;
    await startWorker(storage);
    await transact(subject, async (jobs) => {
      const [before, within] = [await storage.now(), await jobs.now()];
      assert.ok(before <= within && within <= (await storage.now()), 'It should go by the same clock.');
      assert.deepEqual(await jobs.queryWorkers(), await storage.queryWorkers());
    });
  },

  'is told from a manager that is in none': async ({ storage, transaction }) => {
    if (storage.joined === undefined) return;
    let late: JoinableTransaction = null as never;
    await begun(transaction)(async (manager) => {
      late = manager;
      assert.notEqual(await storage.joined!(manager), null);
    });
    assert.equal(await storage.joined(late), null);
  },
});

function transact({ storage, transaction }: StorageSubject, work: Joined): Promise<void> {
  return begun(transaction)(async (manager) => {
    const jobs = await storage.joined!(manager);
    assert.ok(jobs, 'The manager should be in a transaction.');
    await work(jobs);
  });
}

function begun(transaction: StorageSubject['transaction']): NonNullable<StorageSubject['transaction']> {
  assert.ok(transaction, 'A storage that can be joined needs a subject with `transaction`.');
  return transaction;
}
