import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  settle,
  startWorker,
  holdOf,
} from './fixture.js';

export const cancelRunLaws = lawsOf('cancel of a run', {
  'ends the run if it waits, and no other': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await fireDue(storage, worker, { room: 0 });
    const manual = await storage.runNow(ref('job'));
    assert.equal(await storage.cancelRun(manual!.id), 'cancelled');
    const row = only(await attemptsOf(storage), 'ledger row');
    assert.deepEqual([row.runId, row.outcome, row.final], [manual!.id, 'cancelled', true]);
    assert.notEqual((await claimOne(storage, worker)).id, manual!.id);
  },

  'asks the worker of a run that goes on, from any adapter': async ({ storage, open }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      const other = await storage.runNow(ref('job'));
      assert.equal(await (await open()).cancelRun(run.id), 'requested');
      assert.deepEqual((await storage.renew(worker.workerId, minute, 1)).cancelled, [run.id]);
      await settle(storage, run, { outcome: 'cancelled' });
      if (add === addRecurring) assert.equal((await claimOne(storage, worker)).id, other!.id);
      await storage.deleteJob(ref('job'));
    }
  },

  'ends a one-off, which goes or is kept as it says, and one that a pause holds': async ({ storage }) => {
    await addOneOff(storage, { policies: { keepMs: hour } });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    const run = only(await runsOf(storage), 'run');
    assert.equal(await storage.cancelRun(run.id), 'cancelled');
    assert.equal((await jobOf(storage)).state, 'cancelled');
    assert.equal(await storage.cancelRun(run.id), null, 'It has a verdict.');
    await addOneOff(storage, { id: 'brief' });
    const [brief] = await runsOf(storage, 'brief');
    await storage.cancelRun(brief.id);
    assert.equal(await storage.getJob(ref('brief')), null);
  },

  'knows no run without verdict by another id': async ({ storage }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await settle(storage, run, { outcome: 'failed', error: 'boom' });
    for (const id of [run.id, '987654321', 'no number', '']) assert.equal(await storage.cancelRun(id), null);
  },

  'lets go what waited for the run': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    const overlap = 'queue';
    await fireDue(storage, worker, { overlap, room: 0 });
    const first = only(await runsOf(storage), 'run');
    await clock.advance(2 * hour);
    assert.equal((await fireDue(storage, worker, { overlap })).unclaimed, 1);
    assert.equal(await storage.cancelRun(first.id), 'cancelled');
    assert.notEqual((await claimOne(storage, worker)).id, first.id);
  },
});

export const cancelLaws = lawsOf('cancel', {
  'has nothing to do for a job without runs; its schedule goes on': async ({ storage }) => {
    const before = await addRecurring(storage);
    assert.equal(await storage.cancelJob(ref('job')), 0);
    assert.deepEqual((await jobOf(storage)).nextRunAt, before.nextRunAt);
    await fireOne(storage, await startWorker(storage));
  },

  'ends runs that wait': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await fireDue(storage, worker, { room: 0 });
    await storage.runNow(ref('job'));
    assert.equal(await storage.cancelJob(ref('job')), 2);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.deepEqual(await runsOf(storage), []);
    for (const row of await attemptsOf(storage)) {
      const { outcome, final, worker: by, startedAt } = row;
      assert.deepEqual(
        { outcome, final, by, startedAt },
        { outcome: 'cancelled', final: true, by: null, startedAt: null },
      );
    }
    assert.equal((await attemptsOf(storage)).length, 2);
    assert.notEqual((await jobOf(storage)).nextRunAt, null);
  },

  'ends a one-off that waits; it goes, or is kept as long as it says': async ({ storage }) => {
    await addOneOff(storage);
    assert.equal(await storage.cancelJob(ref('job')), 1);
    assert.equal(await storage.getJob(ref('job')), null);
    await addOneOff(storage, { policies: { keepMs: hour } });
    assert.equal(await storage.cancelJob(ref('job')), 1);
    const job = await jobOf(storage);
    assert.equal(job.state, 'cancelled');
    assert.equal(job.lastVerdict, 'cancelled');
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
    assert.equal(await storage.cancelJob(ref('job')), 0);
  },

  'ends a run that waits for its retry, and one that a pause holds': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'retry' });
    await failWithRetry(storage, await claimOne(storage, worker), minute);
    await addOneOff(storage, { id: 'paused' });
    await storage.pauseJob(ref('paused'), { reason: null, by: null });
    for (const id of ['retry', 'paused']) {
      assert.equal(await storage.cancelJob(ref(id)), 1);
      assert.equal(await storage.getJob(ref(id)), null);
      assert.equal((await attemptsOf(storage, { jobId: id, finalOnly: true }))[0]?.outcome, 'cancelled');
    }
  },

  'asks the worker of a running run to abort it': async ({ storage, open }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const other = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      assert.deepEqual((await storage.renew(worker.workerId, minute, 1)).cancelled, []);
      assert.equal(await (await open()).cancelJob(ref('job')), 1);
      assert.deepEqual((await storage.renew(worker.workerId, minute, 1)).cancelled, [run.id]);
      assert.deepEqual((await storage.renew(other.workerId, minute, 0)).cancelled, []);
      assert.equal((await jobOf(storage)).state, 'running');
      await settle(storage, run, { outcome: 'cancelled' });
      assert.equal(only(await attemptsOf(storage, { runId: run.id }), 'ledger row').final, true);
      await storage.deleteJob(ref('job'));
    }
  },

  'gives a run that was to be cancelled no retry': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await storage.cancelJob(ref('job'));
    await failWithRetry(storage, run);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    const row = only(await attemptsOf(storage), 'ledger row');
    assert.deepEqual([row.outcome, row.final], ['failed', true]);
  },

  'ends a run that comes back after it was to be cancelled': async ({ storage, clock }) => {
    const worker = await startWorker(storage);
    for (const bringBack of ['give back', 'hand back', 'lose'] as const) {
      await addOneOff(storage);
      const run = await claimOne(storage, worker);
      await storage.cancelJob(ref('job'));
      if (bringBack === 'give back') await storage.giveBack([holdOf(run)]);
      if (bringBack === 'hand back') await settle(storage, run, { outcome: 'handed_back' });
      if (bringBack === 'lose') {
        await clock.advance(2 * minute);
        assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'cancelled');
      }
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.outcome, row.final], ['cancelled', true]);
      assert.equal(await storage.getJob(ref('job')), null);
    }
  },

  'accepts the success of a run that was to be cancelled': async ({ storage }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await storage.cancelJob(ref('job'));
    await settle(storage, run);
    assert.equal(only(await attemptsOf(storage), 'ledger row').outcome, 'succeeded');
  },

  'leaves the next instants of a recurring job alone': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 3 * hour });
    const run = await fireOne(storage, worker);
    await storage.cancelJob(ref('job'));
    await settle(storage, run, { outcome: 'cancelled' });
    await clock.advance(2 * hour);
    const next = await fireOne(storage, worker);
    assert.deepEqual((await storage.renew(worker.workerId, minute, 1)).cancelled, []);
    await failWithRetry(storage, next);
    assert.equal((await claimOne(storage, worker)).attempt, 2);
  },
});
