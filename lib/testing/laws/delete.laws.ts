import assert from 'node:assert/strict';
import type { ClaimedRun, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  failWithRetry,
  fireDue,
  fireOne,
  gapsOf,
  jobOf,
  minute,
  only,
  ref,
  runsOf,
  second,
  settle,
  settlementOf,
  startWorker,
  holdOf,
  accepts,
} from './fixture.js';

/** Asserts that the run ended as cancelled without having been started. */
async function assertCancelledUnstarted(storage: StorageAdapter, runId: string): Promise<void> {
  const last = (await attemptsOf(storage, { runId, finalOnly: true }))[0];
  assert.ok(last, 'The ledger should have the verdict.');
  assert.equal(last.outcome, 'cancelled');
  assert.equal(last.worker, null);
  assert.equal(last.startedAt, null);
}

export const deleteLaws = lawsOf('delete', {
  'removes an idle job and everything that would fire it': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addRecurring(storage, { id: 'recurring' });
    await addOneOff(storage, { id: 'one-off' });
    const oneOffRun = only(await runsOf(storage, 'one-off'), 'run');
    for (const id of ['recurring', 'one-off']) {
      assert.equal(await storage.deleteJob(ref(id)), true);
      assert.equal(await storage.deleteJob(ref(id)), false);
      assert.equal(await storage.getJob(ref(id)), null);
    }
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.equal(await storage.countJobs({}), 0);
    await assertCancelledUnstarted(storage, oneOffRun.id);
  },

  'ends waiting runs of a recurring job as cancelled': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await fireDue(storage, worker, { room: 0 });
    const run = only(await runsOf(storage), 'run');
    await storage.deleteJob(ref('job'));
    await assertCancelledUnstarted(storage, run.id);
    assert.deepEqual(await runsOf(storage), []);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  },

  'ends a run that waits for its retry as cancelled': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      await failWithRetry(storage, run);
      await storage.deleteJob(ref('job'));
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      const rows = await attemptsOf(storage, { runId: run.id });
      assert.deepEqual(rows.map((row) => `${row.outcome} ${row.final}`).sort(), [
        'cancelled true',
        'failed false',
      ]);
      await assertCancelledUnstarted(storage, run.id);
    }
  },

  'lets a run that goes on end with its attempt, without retries': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      await storage.deleteJob(ref('job'));
      assert.equal(await storage.getJob(ref('job')), null);
      await failWithRetry(storage, run);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.equal(row.outcome, 'failed');
      assert.equal(row.final, true);
      assert.equal(await storage.getJob(ref('job')), null);
      assert.deepEqual(await runsOf(storage), []);
    }
  },

  'accepts a success of a run whose job was deleted': async ({ storage }) => {
    await addRecurring(storage);
    const run = await fireOne(storage, await startWorker(storage));
    await storage.deleteJob(ref('job'));
    await settle(storage, run, { result: 'done' });
    assert.equal(only(await attemptsOf(storage), 'ledger row').result, 'done');
  },

  'ends a run that is handed back after its job was deleted': async ({ storage }) => {
    const worker = await startWorker(storage);
    const giveBack = async (run: ClaimedRun): Promise<unknown> => storage.giveBack([holdOf(run)]);
    const handBack = async (run: ClaimedRun): Promise<void> =>
      settle(storage, run, { outcome: 'handed_back' });
    for (const bringBack of [giveBack, handBack]) {
      await addOneOff(storage);
      const run = await claimOne(storage, worker);
      await storage.deleteJob(ref('job'));
      await bringBack(run);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.equal(row.outcome, 'cancelled');
      assert.equal(row.final, true);
    }
  },

  'refuses the fence of a one-off that was deleted and created again under its id': async ({
    storage,
    clock,
  }) => {
    const worker = await startWorker(storage);
    await addOneOff(storage);
    const before = await claimOne(storage, worker);
    await storage.deleteJob(ref('job'));
    await addOneOff(storage);
    const other = await startWorker(storage);
    const after = await claimOne(storage, other);
    assert.notEqual(after.id, before.id);
    assert.equal(after.attempt, 1);
    await settle(storage, before, { outcome: 'failed', error: 'late' });
    assert.equal((await jobOf(storage)).state, 'running');
    assert.deepEqual(await accepts(storage, [await settlementOf(storage, before)]), []);
    await clock.advance(second);
    await settle(storage, after);
    assert.equal(only(await attemptsOf(storage, { runId: after.id }), 'ledger row').outcome, 'succeeded');
  },

  'removes a paused job, with its held run and its open gap': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await fireDue(storage, worker, { room: 0, nextAt: (await storage.now()) - 1 });
    const run = only(await runsOf(storage), 'run');
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.deleteJob(ref('job'));
    await assertCancelledUnstarted(storage, run.id);
    for (const gap of await gapsOf(storage)) assert.notEqual(gap.until, null, 'No gap should stay open.');
    await addRecurring(storage, { dueInMs: minute });
    assert.equal((await jobOf(storage)).state, 'pending');
  },

  'leaves no gap of a paused job that missed nothing': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: minute });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.deleteJob(ref('job'));
    assert.deepEqual(await gapsOf(storage), []);
  },

  'discards a dead letter without a second verdict': async ({ storage }) => {
    await addOneOff(storage);
    const run = await claimOne(storage, await startWorker(storage));
    await settle(storage, run, { outcome: 'failed', error: 'boom' });
    await storage.deleteJob(ref('job'));
    assert.equal(await storage.getJob(ref('job')), null);
    assert.equal(only(await attemptsOf(storage), 'ledger row').outcome, 'failed');
    assert.deepEqual(await runsOf(storage), []);
  },
});
