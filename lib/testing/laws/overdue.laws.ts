import assert from 'node:assert/strict';
import type { StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
  failWithRetry,
  fireDue,
  hour,
  jobOf,
  minute,
  oneOff,
  only,
  ref,
  runsOf,
  second,
  settle,
  startWorker,
} from './fixture.js';

type Worker = Awaited<ReturnType<typeof startWorker>>;

/** The ids of the jobs in the order in which one worker would get their runs. */
async function orderOfClaims(storage: StorageAdapter, worker: Worker): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const [run] = (await storage.claim(worker, 1)).runs;
    if (!run) return order;
    order.push(run.jobId);
  }
}

export const liftLaws = lawsOf('overdue runs', {
  'are lifted by one level for each minute': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: day });
    await addOneOff(storage, { id: 'overdue', priority: 7, dueInMs: -second });
    await clock.advance(3 * minute);
    for (const priority of [3, 4, 5, 6, 7]) await addOneOff(storage, { id: `${priority}`, priority });
    assert.equal(await storage.liftOverdue(), 1);
    // 7 − 3 = 4, and due before the other one.
    assert.deepEqual(await orderOfClaims(storage, worker), ['3', 'overdue', '4', '5', '6', '7']);
  },

  'are lifted again when another minute has passed, not before, and never beyond the first level': async ({
    storage,
    clock,
  }) => {
    await addOneOff(storage, { priority: 2, dueInMs: 0 });
    await clock.advance(minute - second);
    assert.equal(await storage.liftOverdue(), 0);
    await clock.advance(2 * second);
    assert.equal(await storage.liftOverdue(), 1);
    assert.equal(await storage.liftOverdue(), 0);
    await clock.advance(minute);
    assert.equal(await storage.liftOverdue(), 1);
    await clock.advance(hour);
    assert.equal(await storage.liftOverdue(), 0);
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'first level', priority: 0 });
    assert.deepEqual(await orderOfClaims(storage, worker), ['job', 'first level']);
  },

  'of recurring jobs are lifted as well': async ({ storage, clock }) => {
    await addRecurring(storage, { id: 'recurring', priority: 9 });
    const worker = await startWorker(storage, { leaseMs: day });
    await fireDue(storage, worker, { room: 0 });
    await clock.advance(10 * minute);
    await addOneOff(storage, { id: 'urgent', priority: 1 });
    assert.equal(await storage.liftOverdue(), 1);
    assert.deepEqual(await orderOfClaims(storage, worker), ['recurring', 'urgent']);
  },

  'keep their priority as users see it': async ({ storage, clock }) => {
    await addOneOff(storage, { priority: 9 });
    await clock.advance(hour);
    await storage.liftOverdue();
    assert.equal((await jobOf(storage)).priority, 9);
    assert.equal(only(await runsOf(storage), 'run').priority, 9);
    assert.equal((await claimOne(storage, await startWorker(storage))).priority, 9);
  },

  'lose what they were lifted by with the end of the attempt, and with a new time': async ({
    storage,
    clock,
  }) => {
    const worker = await startWorker(storage, { leaseMs: 10 * day });
    await addOneOff(storage, { id: 'retried', priority: 9 });
    await addOneOff(storage, { id: 'moved', priority: 9 });
    await clock.advance(hour);
    assert.equal(await storage.liftOverdue(), 2);
    const [run] = (await storage.claim(worker, 1)).runs;
    const other = run.jobId === 'moved' ? 'retried' : 'moved';
    await failWithRetry(storage, run);
    await storage.updateJob(ref(other), { nextAt: (await storage.now()) - second });
    await addOneOff(storage, { id: 'urgent', priority: 8 });
    assert.equal((await orderOfClaims(storage, worker))[0], 'urgent');
  },

  'are all lifted by calling again, however many there are': async ({ storage, clock }) => {
    const job = await oneOff(storage);
    const jobs = Array.from({ length: 2_500 }, (_, n) => ({ ...job, id: `job ${n}` }));
    await storage.insertJobs(jobs, 'raise');
    await clock.advance(hour);
    let lifted = 0;
    for (let count = -1; count !== 0; lifted += count) count = await storage.liftOverdue();
    assert.equal(lifted, 2_500);
  },

  'are left alone while they run, are held, or are stopped by a pause': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: day });
    await addOneOff(storage, { id: 'runs' });
    await claimOne(storage, worker);
    await addOneOff(storage, { id: 'held' });
    await storage.pauseJob(ref('held'), { reason: null, by: null });
    await addOneOff(storage, { id: 'stopped', handler: 'else' });
    await storage.pauseScope({ kind: 'handler', name: 'else' }, { reason: null, by: null });
    await clock.advance(hour);
    assert.equal(await storage.liftOverdue(), 0);
  },
});

export const deferLaws = lawsOf('runs that nobody can execute', {
  'are put off by half a minute, and told by handler and queue': async ({ storage }) => {
    await startWorker(storage, { handlers: ['work', 'also'], queues: ['default'] });
    await startWorker(storage, { handlers: ['else'], queues: ['other'] });
    await addOneOff(storage, { id: 'can' });
    await addOneOff(storage, { id: 'handler 1', handler: 'else' });
    await addOneOff(storage, { id: 'handler 2', handler: 'else' });
    await addOneOff(storage, { id: 'queue', queue: 'nobody' });
    await addOneOff(storage, { id: 'later', queue: 'nobody', dueInMs: hour });
    const before = only(await runsOf(storage, 'can'), 'run').dueAt;
    const deferrals = await storage.deferStranded();
    deferrals.sort((a, b) => a.runs - b.runs);
    assert.deepEqual(deferrals, [
      { app: null, handler: 'work', queue: 'nobody', runs: 1 },
      { app: null, handler: 'else', queue: 'default', runs: 2 },
    ]);
    const now = await storage.now();
    for (const id of ['handler 1', 'handler 2', 'queue']) {
      const { dueAt } = only(await runsOf(storage, id), 'run');
      const inMs = dueAt!.getTime() - now;
      assert.ok(inMs > 20 * second && inMs <= 30 * second, `${id} should be due in 30 s, not in ${inMs} ms.`);
    }
    assert.deepEqual(only(await runsOf(storage, 'can'), 'run').dueAt, before);
    assert.deepEqual(await storage.deferStranded(), []);
  },

  'are due at once when a worker comes that can': async ({ storage, clock }) => {
    await addOneOff(storage);
    const dead = await startWorker(storage, { leaseMs: minute });
    await clock.advance(minute + second);
    only(await storage.deferStranded(), 'deferral');
    assert.deepEqual((await storage.claim(dead, 10)).runs, []);
    await startWorker(storage, { leaseMs: hour, handlers: ['else'] });
    await startWorker(storage, { leaseMs: hour, queues: ['else'] });
    const worker = await startWorker(storage, { leaseMs: hour });
    const claim = await claimOne(storage, worker);
    assert.deepEqual(await storage.deferStranded(), []);
    await settle(storage, claim);
  },

  'are due at once when a worker learns how': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { handlers: [] });
    only(await storage.deferStranded(), 'deferral');
    await storage.updateWorker(worker.workerId, { handlers: ['work'], generation: null });
    await claimOne(storage, { ...worker, handlers: ['work'] });
  },

  'are put off for longer the longer they have been due, ten minutes at most': async ({ storage, clock }) => {
    await addOneOff(storage);
    const delayOf = async (): Promise<number> => {
      only(await storage.deferStranded(), 'deferral');
      const { dueAt } = only(await runsOf(storage, 'job'), 'run');
      return dueAt!.getTime() - (await storage.now());
    };
    await clock.advance(4 * minute);
    const delayMs = await delayOf();
    assert.ok(delayMs >= 4 * minute - second && delayMs < 5 * minute, `not ${delayMs} ms`);
    assert.deepEqual(await storage.deferStranded(), []);
    await clock.advance(day);
    assert.ok((await delayOf()) <= 10 * minute);
  },

  'keep the time that they are given meanwhile': async ({ storage, clock }) => {
    await addOneOff(storage);
    only(await storage.deferStranded(), 'deferral');
    const dueAt = (await storage.now()) + hour;
    await storage.updateJob(ref('job'), { nextAt: dueAt });
    const worker = await startWorker(storage, { leaseMs: day });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(hour + second);
    await claimOne(storage, worker);
  },

  'stay where they are while a pause stops them': async ({ storage }) => {
    await addOneOff(storage);
    await storage.pauseScope({ kind: 'queue', name: 'default' }, { reason: null, by: null });
    assert.deepEqual(await storage.deferStranded(), []);
  },
});
