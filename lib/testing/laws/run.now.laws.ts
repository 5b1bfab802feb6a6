import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireOne,
  gapsOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';

const pause = { reason: null, by: null };

export const runNowLaws = lawsOf('run now', {
  'gives an idle recurring job a run beside its schedule': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: hour });
    const run = await storage.runNow(ref('job'));
    assert.equal(run?.origin, 'manual');
    assert.equal(run.state, 'waiting');
    assertNear(run.nominalAt, await storage.now(), 'nominalAt');
    const claimed = await claimOne(storage, await startWorker(storage));
    assert.equal(claimed.id, run.id);
    assert.equal(claimed.origin, 'manual');
    assert.notEqual(claimed.jobUid, null);
    await settle(storage, claimed);
    assert.deepEqual((await jobOf(storage)).nextRunAt, nextRunAt);
  },

  'gives a recurring job that runs, or waits for a retry, another run': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const scheduled = await fireOne(storage, worker);
    await storage.runNow(ref('job'));
    const beside = await claimOne(storage, worker);
    assert.notEqual(beside.id, scheduled.id);
    await failWithRetry(storage, scheduled, hour);
    await storage.runNow(ref('job'));
    const third = await claimOne(storage, worker);
    assert.equal(third.attempt, 1);
    assert.equal(new Set([scheduled.id, beside.id, third.id]).size, 3);
    assert.deepEqual(await gapsOf(storage), []);
  },

  'runs a paused recurring job without ending its pause': async ({ storage }) => {
    await addRecurring(storage);
    await storage.pauseJob(ref('job'), pause);
    await storage.runNow(ref('job'));
    await settle(storage, await claimOne(storage, await startWorker(storage)));
    const job = await jobOf(storage);
    assert.equal(job.state, 'paused');
    assert.equal(job.runCount, 1);
  },

  'makes a one-off that waits due at once, its pause included': async ({ storage }) => {
    const worker = await startWorker(storage);
    for (const paused of [false, true]) {
      const { nextRunAt } = await addOneOff(storage, { dueInMs: hour });
      const before = only(await runsOf(storage), 'run');
      if (paused) await storage.pauseJob(ref('job'), pause);
      const run = await storage.runNow(ref('job'));
      assert.equal(run?.id, before.id);
      assert.deepEqual(run.nominalAt, nextRunAt, 'The nominal time should stay.');
      assert.equal((await jobOf(storage)).paused, null);
      await settle(storage, await claimOne(storage, worker));
      assert.equal(await storage.getJob(ref('job')), null);
    }
  },

  'makes a one-off that waits for its retry due at once': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await failWithRetry(storage, first, hour);
    await storage.runNow(ref('job'));
    const retry = await claimOne(storage, worker);
    assert.equal(retry.id, first.id);
    assert.equal(retry.attempt, 2);
  },

  'returns a one-off that runs as it is': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const claimed = await claimOne(storage, worker);
    const run = await storage.runNow(ref('job'));
    assert.equal(run?.id, claimed.id);
    assert.equal(run.state, 'running');
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await settle(storage, claimed);
  },

  'gives a one-off with a verdict a new run': async ({ storage }) => {
    await addOneOff(storage, { payload: 'p' });
    const worker = await startWorker(storage);
    const first = await claimOne(storage, worker);
    await settle(storage, first, { outcome: 'failed', error: 'boom' });
    const run = await storage.runNow(ref('job'));
    assert.equal(run?.origin, 'retry');
    assert.notEqual(run.id, first.id);
    const again = await claimOne(storage, worker);
    assert.equal(again.id, run.id);
    assert.equal(again.attempt, 1);
    assert.equal(again.payload, 'p');
    await settle(storage, again);
    assert.equal(await storage.getJob(ref('job')), null);
    assert.deepEqual((await attemptsOf(storage, { finalOnly: true })).map((row) => row.outcome).sort(), [
      'failed',
      'succeeded',
    ]);
  },

  'creates one new run for a dead letter, however many ask at once': async ({ storage, open }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'boom' });
    const adapters = [storage, await open()];
    const asked = Array.from({ length: 8 }, (_, index) => adapters[index % 2].runNow(ref('job')));
    const ids = new Set((await Promise.all(asked)).map((run) => run?.id));
    assert.equal(ids.size, 1);
    assert.equal((await storage.claim(worker, 10)).runs.length, 1);
  },

  'wakes a worker for the new run': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const worker = await startWorker(storage);
    assert.equal((await storage.nextWakeAt(worker)).runAt, null);
    await storage.runNow(ref('job'));
    const { now, runAt } = await storage.nextWakeAt(worker);
    assert.ok(runAt !== null && runAt <= now + minute);
  },
});
