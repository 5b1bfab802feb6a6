import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  eightAtOnce,
  failWithRetry,
  fireDue,
  hour,
  jobOf,
  minute,
  oneOff,
  only,
  runsOf,
  second,
  settle,
  startWorker,
} from './fixture.js';

export const claimLaws = lawsOf('claim', {
  'hands a due run to a worker, with all it needs': async ({ storage }) => {
    const given = await oneOff(storage, {
      name: 'Mail',
      payload: { p: 1 },
      metadata: { m: 1 },
      policies: { maxRetries: 2 },
      priority: 7,
      timeZone: 'Europe/Berlin',
    });
    await storage.insertJobs([given], 'raise');
    const worker = await startWorker(storage);
    const { id, ...run } = await claimOne(storage, worker);
    assert.deepEqual(run, {
      worker: worker.workerId,
      fence: 1,
      attempt: 1,
      lostCount: 0,
      jobUid: null,
      jobId: 'job',
      jobName: 'Mail',
      app: null,
      namespace: 'default',
      handler: 'work',
      queue: 'default',
      priority: 7,
      origin: 'at',
      payload: { p: 1 },
      metadata: { m: 1 },
      policies: { maxRetries: 2 },
      timeZone: 'Europe/Berlin',
      missed: 0,
      nominalAt: given.nextAt,
      dueAt: given.nextAt,
    });
    const stored = only(await runsOf(storage), 'run');
    assert.equal(stored.id, id);
    assert.equal(stored.worker, worker.workerId);
    assert.notEqual(stored.startedAt, null);
    assert.equal(stored.dueAt, null);
  },

  'hands each of 100 runs to exactly one of eight concurrent claimers on two adapters': async ({
    storage,
    open,
  }) => {
    const template = await oneOff(storage);
    const jobs = Array.from({ length: 100 }, (_, index) => ({ ...template, id: `job-${index}` }));
    await storage.insertJobs(jobs, 'raise');
    const adapters = [storage, await open()];
    const workers = await eightAtOnce(adapters, (adapter) => startWorker(adapter));
    const claimed: string[] = [];
    for (let round = 0; claimed.length < 100; round++) {
      const results = await eightAtOnce(adapters, (adapter, index) => adapter.claim(workers[index], 5));
      for (const { runs } of results) claimed.push(...runs.map((run) => run.jobId));
      assert.ok(round < 100, `Only ${claimed.length} of 100 due runs were handed out.`);
    }
    assert.equal(claimed.length, 100);
    assert.equal(new Set(claimed).size, 100);
  },

  'hands one run to one of eight concurrent claimers': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const workers = await eightAtOnce(adapters, (adapter) => startWorker(adapter));
    await addOneOff(storage);
    const results = await eightAtOnce(adapters, (adapter, index) => adapter.claim(workers[index], 10));
    only(
      results.flatMap((result) => result.runs),
      'claimed run',
    );
  },

  'leaves alone what is not due': async ({ storage, clock }) => {
    await addOneOff(storage, { dueInMs: minute });
    const worker = await startWorker(storage, { leaseMs: hour });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(minute + second);
    await claimOne(storage, worker);
  },

  'hands out earlier runs first': async ({ storage }) => {
    for (const [id, dueInMs] of [
      ['c', -second],
      ['a', -3 * second],
      ['b', -2 * second],
    ] as const) {
      await addOneOff(storage, { id, dueInMs });
    }
    const worker = await startWorker(storage);
    const order: string[] = [];
    for (let index = 0; index < 3; index++)
      order.push(only((await storage.claim(worker, 1)).runs, 'run').jobId);
    assert.deepEqual(order, ['a', 'b', 'c']);
  },

  'hands out urgent runs first, whenever they are due': async ({ storage }) => {
    const priorities = [5, 0, 9, 2, 5];
    for (const [index, priority] of priorities.entries()) {
      await addOneOff(storage, { id: `job-${index}`, priority, dueInMs: (index - 10) * second });
    }
    const worker = await startWorker(storage);
    const order: string[] = [];
    for (const limit of [2, 1, 2])
      order.push(...(await storage.claim(worker, limit)).runs.map((run) => run.jobId));
    assert.deepEqual(order, ['job-1', 'job-3', 'job-0', 'job-4', 'job-2']);
  },

  'hands out many in the order in which they should begin': async ({ storage }) => {
    // Stored in another order than they are due.
    for (const [index, place] of [3, 1, 4, 0, 2].entries()) {
      await addOneOff(storage, { id: `same-${place}`, dueInMs: (place - 10) * second });
      await addOneOff(storage, { id: `other-${index}`, priority: 9 - index, dueInMs: -minute });
    }
    const { runs } = await storage.claim(await startWorker(storage), 10);
    const order = runs.map(({ jobId }) => jobId);
    const same = ['same-0', 'same-1', 'same-2', 'same-3', 'same-4'];
    assert.deepEqual(order, ['other-4', ...same, 'other-3', 'other-2', 'other-1', 'other-0']);
  },

  'does not let an urgent run of later block a due one': async ({ storage }) => {
    await addOneOff(storage, { id: 'urgent', priority: 0, dueInMs: hour });
    await addOneOff(storage, { id: 'due', priority: 9 });
    assert.equal((await claimOne(storage, await startWorker(storage))).jobId, 'due');
  },

  'never exceeds the limit': async ({ storage }) => {
    const queues = ['default', 'slow'];
    for (let index = 0; index < 12; index++) {
      await addOneOff(storage, { id: `job-${index}`, priority: index % 4, queue: queues[index % 2] });
    }
    const worker = await startWorker(storage, { queues });
    assert.equal((await storage.claim(worker, 0)).runs.length, 0);
    assert.equal((await storage.claim(worker, 5)).runs.length, 5);
    assert.equal((await storage.claim(worker, 6)).runs.length, 6);
    assert.equal((await storage.claim(worker, 5)).runs.length, 1);
  },

  'hands out only runs whose handler and queue the worker has': async ({ storage }) => {
    await addOneOff(storage, { id: 'handler', handler: 'other' });
    await addOneOff(storage, { id: 'queue', queue: 'other' });
    await addOneOff(storage, { id: 'mine' });
    assert.equal((await claimOne(storage, await startWorker(storage))).jobId, 'mine');
    const other = await startWorker(storage, { handlers: ['other', 'work'], queues: ['other'] });
    assert.equal((await claimOne(storage, other)).jobId, 'queue');
    const none = await startWorker(storage, { handlers: [] });
    assert.deepEqual((await storage.claim(none, 10)).runs, []);
  },

  'hands nothing to a worker that has no lease': async ({ storage, clock }) => {
    await addOneOff(storage);
    const dead = await startWorker(storage, { leaseMs: minute });
    await clock.advance(minute + second);
    assert.deepEqual((await storage.claim(dead, 10)).runs, []);
    const gone = await startWorker(storage);
    await storage.unregister(gone.workerId);
    assert.deepEqual((await storage.claim(gone, 10)).runs, []);
    const unknown = { ...gone, workerId: 'never-registered' };
    assert.deepEqual((await storage.claim(unknown, 10)).runs, []);
    await claimOne(storage, await startWorker(storage));
  },

  'raises fence and attempt with every claim': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    for (let attempt = 1; attempt <= 4; attempt++) {
      const run = await claimOne(storage, worker);
      assert.equal(run.attempt, attempt);
      assert.ok(run.fence >= attempt);
      assert.equal(only(await runsOf(storage), 'run').fence, run.fence);
      await failWithRetry(storage, run);
    }
    assert.equal((await jobOf(storage)).runCount, 4);
  },

  'keeps a running run from everybody else': async ({ storage, open }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    const other = await open();
    assert.deepEqual((await other.claim(await startWorker(other), 10)).runs, []);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await settle(other, run);
  },

  'hands out runs that were born for anybody': async ({ storage }) => {
    await addRecurring(storage, { payload: 'p' });
    await fireDue(storage, await startWorker(storage), { room: 0 });
    const run = await claimOne(storage, await startWorker(storage));
    assert.equal(run.origin, 'schedule');
    assert.equal(run.payload, 'p');
    assert.notEqual(run.jobUid, null);
  },
});
