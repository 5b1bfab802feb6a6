import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  eightAtOnce,
  hour,
  jobOf,
  minute,
  namespace,
  oneOff,
  only,
  recurring,
  ref,
  runsOf,
  second,
  settle,
  startWorker,
} from './fixture.js';

export const createLaws = lawsOf('create', {
  'gives back a recurring job as it was stored': async ({ storage }) => {
    const given = await recurring(storage, {
      name: 'Nightly report',
      handler: 'report',
      queue: 'slow',
      priority: 2,
      timeZone: 'Asia/Seoul',
      payload: { to: ['a', 'b'], page: 2 },
      metadata: { team: { name: 'growth' } },
      policies: { overlap: 'allow', maxRetries: 3, backoff: [1_000, 5_000], keepMs: 'forever' },
      dueInMs: minute,
    });
    const [result] = await storage.insertJobs([given], 'raise');
    assert.ok(result.status === 'created');
    const { source, app, definitionHash: _, nextAt, ...definition } = given;
    const { state, ...stored } = await jobOf(storage);
    assert.deepEqual(stored, {
      ...definition,
      source,
      app,
      paused: null,
      pausedBy: null,
      orphanedAt: null,
      changed: null,
      runCount: 0,
      errorCount: 0,
      consecutiveFailures: 0,
      lastRunAt: null,
      lastVerdict: null,
      lastError: null,
      nextRunAt: new Date(nextAt!),
      waitsFor: null,
      createdAt: stored.createdAt,
      updatedAt: stored.updatedAt,
      revision: stored.revision,
    });
    assert.deepEqual(result.job, { state, ...stored });
    assertNear(stored.createdAt, await storage.now(), 'createdAt');
  },

  'presents a one-off in the same form': async ({ storage }) => {
    const given = await oneOff(storage, { name: 'Reminder', payload: { n: 1 }, dueInMs: minute });
    const [result] = await storage.insertJobs([given], 'raise');
    assert.ok(result.status === 'created');
    const job = await jobOf(storage);
    assert.deepEqual(result.job, job);
    assert.equal(job.name, 'Reminder');
    assert.deepEqual(job.trigger, given.trigger);
    assert.deepEqual(job.payload, { n: 1 });
    assert.deepEqual(job.nextRunAt, new Date(given.nextAt!));
    const run = only(await runsOf(storage), 'run');
    assert.equal(run.origin, 'at');
    assert.deepEqual(run.nominalAt, new Date(given.nextAt!));
  },

  'does not find what was never stored': async ({ storage }) => {
    await addRecurring(storage);
    assert.equal(await storage.getJob(ref('other')), null);
    assert.equal(await storage.getJob({ namespace: 'other', id: 'job' }), null);
    assert.equal(await storage.updateJob(ref('other'), { priority: 1 }), 'not-found');
    assert.equal(await storage.deleteJob(ref('other')), false);
    assert.equal(await storage.pauseJob(ref('other'), { reason: null, by: null }), null);
    assert.equal(await storage.resumeJob(ref('other'), () => ({ nextAt: null, gap: null })), null);
    assert.equal(await storage.cancelJob(ref('other')), null);
    assert.equal(await storage.runNow(ref('other')), null);
  },

  'takes a job without a time for one that fires only by hand': async ({ storage }) => {
    await addRecurring(storage, { trigger: { type: 'manual' }, dueInMs: null });
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
    assert.equal((await jobOf(storage)).nextRunAt, null);
  },

  'refuses an id that is taken, and leaves the job as it is': async ({ storage }) => {
    const first = await addRecurring(storage, { payload: 'first' });
    const second = await recurring(storage, { payload: 'second' });
    assert.deepEqual(await storage.insertJobs([second], 'raise'), [{ status: 'conflict' }]);
    assert.deepEqual(await jobOf(storage), first);
  },

  'has one id space for recurring jobs and one-offs': async ({ storage }) => {
    await addRecurring(storage, { id: 'recurring' });
    await addOneOff(storage, { id: 'one-off' });
    const crossed = [await oneOff(storage, { id: 'recurring' }), await recurring(storage, { id: 'one-off' })];
    const results = await storage.insertJobs(crossed, 'raise');
    assert.deepEqual(results, [{ status: 'conflict' }, { status: 'conflict' }]);
    assert.equal(await storage.countJobs({}), 2);
  },

  'keeps equal ids of two namespaces apart': async ({ storage }) => {
    await addRecurring(storage, { payload: 'here' });
    await addOneOff(storage, { namespace: 'elsewhere', payload: 'there' });
    assert.equal((await jobOf(storage)).payload, 'here');
    const there = await storage.getJob({ namespace: 'elsewhere', id: 'job' });
    assert.equal(there?.payload, 'there');
    await storage.deleteJob({ namespace: 'elsewhere', id: 'job' });
    await jobOf(storage);
  },

  'lets exactly one of eight concurrent creators win': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const results = await eightAtOnce(adapters, async (adapter, index) => {
      const make = index % 4 < 2 ? recurring : oneOff;
      const given = await make(adapter, { payload: index });
      return (await adapter.insertJobs([given], 'raise'))[0];
    });
    const winner = only(
      results.flatMap((result) => (result.status === 'created' ? [result.job] : [])),
      'creator',
    );
    assert.equal(results.filter((result) => result.status === 'conflict').length, 7);
    assert.deepEqual((await jobOf(storage)).payload, winner.payload);
    assert.equal(await storage.countJobs({}), 1);
  },

  'has eight concurrent creators that ignore a conflict agree on one job': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const results = await eightAtOnce(adapters, async (adapter, index) => {
      const given = await oneOff(adapter, { payload: index });
      return (await adapter.insertJobs([given], 'ignore'))[0];
    });
    assert.equal(results.filter((result) => result.status === 'created').length, 1);
    assert.equal(results.filter((result) => result.status === 'existing').length, 7);
    const { payload } = await jobOf(storage);
    for (const result of results) assert.ok(result.status !== 'conflict' && result.job.payload === payload);
    only(await runsOf(storage), 'run');
  },

  'answers item by item: a conflict of one does not affect the others': async ({ storage }) => {
    await addRecurring(storage, { id: 'taken' });
    const batch = await Promise.all([
      recurring(storage, { id: 'a' }),
      oneOff(storage, { id: 'taken' }),
      oneOff(storage, { id: 'b' }),
      recurring(storage, { id: 'taken' }),
      recurring(storage, { id: 'c' }),
    ]);
    const results = await storage.insertJobs(batch, 'raise');
    const statuses = results.map((result) => result.status);
    assert.deepEqual(statuses, ['created', 'conflict', 'created', 'conflict', 'created']);
    const ids = results.flatMap((result) => (result.status === 'conflict' ? [] : [result.job.id]));
    assert.deepEqual(ids, ['a', 'b', 'c']);
    assert.deepEqual(await storage.insertJobs([], 'raise'), []);
  },

  'takes the second of two equal ids in one batch for a conflict': async ({ storage }) => {
    const batch = await Promise.all([
      recurring(storage, { payload: 1 }),
      oneOff(storage, { payload: 2 }),
      recurring(storage, { payload: 3 }),
    ]);
    const results = await storage.insertJobs(batch, 'raise');
    assert.deepEqual(
      results.map((result) => result.status),
      ['created', 'conflict', 'conflict'],
    );
    assert.equal((await jobOf(storage)).payload, 1);
  },

  'takes many jobs of different kinds, each with what is its own': async ({ storage }) => {
    const batch = await Promise.all(
      Array.from({ length: 60 }, (_, n) => {
        const common = {
          id: `job-${n}`,
          queue: `q-${n % 3}`,
          priority: n % 2,
          payload: { n },
          dueInMs: hour + n,
        };
        const own = n % 4 === 0 ? { metadata: { n }, policies: { maxRetries: n }, name: `job ${n}` } : {};
        return n % 7 === 0
          ? recurring(storage, { ...common, ...own })
          : oneOff(storage, { ...common, ...own });
      }),
    );
    const results = await storage.insertJobs(batch, 'raise');
    for (const [n, { source, app, definitionHash: _, nextAt, ...definition }] of batch.entries()) {
      const result = results[n];
      assert.ok(result.status === 'created');
      const stored = await jobOf(storage, `job-${n}`);
      assert.deepEqual(stored, { ...stored, ...definition, source, app, nextRunAt: new Date(nextAt!) });
      assert.deepEqual(result.job, stored);
    }
  },

  'takes an id for a new one only as long as nobody has it': async ({ storage }) => {
    const make = (id: string, payload: number) =>
      oneOff(storage, { id, payload, dueInMs: minute }).then((job) => ({ ...job, newId: true }));
    const [first] = await storage.insertJobs([await make('a', 1), await make('b', 2)], 'raise');
    assert.ok(first.status === 'created');
    assert.deepEqual(await jobOf(storage, 'a'), first.job);
    const again = [await make('c', 3), await make('a', 4), await make('d', 5)];
    const results = await storage.insertJobs(again, 'raise');
    assert.deepEqual(
      results.map(({ status }) => status),
      ['created', 'conflict', 'created'],
    );
    assert.equal((await jobOf(storage, 'a')).payload, 1);
    const [existing] = await storage.insertJobs([await make('b', 6)], 'ignore');
    assert.ok(existing.status === 'existing' && existing.job.payload === 2);
    assert.equal(await storage.countJobs({}), 4);
  },

  'returns the existing job, untouched, when conflicts are ignored': async ({ storage }) => {
    const existing = await addOneOff(storage, { payload: 'first', dueInMs: minute });
    const batch = await Promise.all([
      recurring(storage, { payload: 'second' }),
      oneOff(storage, { payload: 'third' }),
    ]);
    for (const result of await storage.insertJobs(batch, 'ignore')) {
      assert.ok(result.status === 'existing');
      assert.deepEqual(result.job, existing);
    }
    assert.deepEqual(await jobOf(storage), existing);
  },

  'lets a job that ends at once be created again under its id': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await settle(storage, first);
    assert.equal(await storage.getJob(ref('job')), null);
    await addOneOff(storage);
    const again = await claimOne(storage, worker);
    assert.notEqual(again.id, first.id);
  },

  'stores a thousand jobs in one call': async ({ storage }) => {
    const template = await oneOff(storage, { dueInMs: minute });
    const batch = Array.from({ length: 1_000 }, (_, index) => ({ ...template, id: `job-${index}` }));
    const results = await storage.insertJobs(batch, 'raise');
    assert.deepEqual(
      results.map((result) => result.status === 'created' && result.job.id),
      batch.map((job) => job.id),
    );
    assert.equal(await storage.countJobs({ namespace }), 1_000);
  },

  'never gives a run id twice': async ({ storage }) => {
    const worker = await startWorker(storage);
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      await addOneOff(storage, { dueInMs: -second });
      const { id } = await claimOne(storage, worker);
      assert.ok(!seen.has(id), `The run id ${id} was given twice.`);
      seen.add(id);
      await storage.deleteJob(ref('job'));
    }
  },
});
