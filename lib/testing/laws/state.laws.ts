import assert from 'node:assert/strict';
import type { JobState, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  failWithRetry,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';

/** Asserts the state, as the job shows it and as filters find it. */
async function assertState(storage: StorageAdapter, state: JobState): Promise<void> {
  assert.equal((await jobOf(storage)).state, state);
  assert.equal(await storage.countJobs({ state }), 1, `The job should be found by its state "${state}".`);
}

const pause = { reason: null, by: null };

export const stateLaws = lawsOf('state', {
  'follows a recurring job: pending, running, scheduled, completed': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: 5 * hour });
    await addRecurring(storage);
    await assertState(storage, 'pending');
    const first = await fireOne(storage, worker);
    await assertState(storage, 'running');
    await failWithRetry(storage, first, minute);
    await assertState(storage, 'scheduled');
    await clock.advance(2 * minute);
    await settle(storage, await claimOne(storage, worker));
    await assertState(storage, 'scheduled');
    await clock.advance(2 * hour);
    const last = await fireOne(storage, worker, { nextAt: null });
    await assertState(storage, 'running');
    await settle(storage, last);
    await assertState(storage, 'completed');
    assert.equal((await jobOf(storage)).nextRunAt, null);
  },

  'is pending while the first run of a recurring job waits for a worker': async ({ storage }) => {
    await addRecurring(storage);
    await fireDue(storage, await startWorker(storage), { room: 0, nextAt: null });
    await assertState(storage, 'pending');
  },

  'is completed when nothing is left to fire, though nothing ever ran': async ({ storage }) => {
    await addRecurring(storage);
    await fireDue(storage, await startWorker(storage), { room: 0, nextAt: null });
    await storage.cancelJob(ref('job'));
    await assertState(storage, 'completed');
  },

  'follows a job that fires only by hand: pending, running, scheduled': async ({ storage }) => {
    await addRecurring(storage, { trigger: { type: 'manual' }, dueInMs: null });
    await assertState(storage, 'pending');
    const worker = await startWorker(storage);
    await storage.runNow(ref('job'));
    await settle(storage, await claimOne(storage, worker));
    await assertState(storage, 'scheduled');
  },

  'is waiting when it waits for other jobs': async ({ storage }) => {
    await addOneOff(storage, { id: 'other' });
    await addOneOff(storage, { trigger: { type: 'after', jobs: ['other'] }, dueInMs: null });
    await assertState(storage, 'waiting');
  },

  'follows a one-off: pending, running, scheduled for its retry, completed while kept': async ({
    storage,
  }) => {
    await addOneOff(storage, { policies: { keepMs: hour } });
    await assertState(storage, 'pending');
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await assertState(storage, 'running');
    assert.equal((await jobOf(storage)).nextRunAt, null);
    await failWithRetry(storage, run);
    await assertState(storage, 'scheduled');
    assertNear((await jobOf(storage)).nextRunAt, await storage.now(), 'The time of the retry');
    await settle(storage, await claimOne(storage, worker));
    await assertState(storage, 'completed');
  },

  'is failed when a one-off gave up, whichever way': async ({ storage, clock }) => {
    for (const outcome of ['failed', 'timed_out'] as const) {
      await addOneOff(storage);
      const worker = await startWorker(storage);
      await settle(storage, await claimOne(storage, worker), { outcome, error: 'boom' });
      await assertState(storage, 'failed');
      assert.equal((await jobOf(storage)).lastVerdict, outcome);
      await storage.deleteJob(ref('job'));
    }
    await addOneOff(storage, { policies: { recovery: 'abandon' } });
    await claimOne(storage, await startWorker(storage));
    await clock.advance(2 * minute);
    await storage.releaseLost();
    await assertState(storage, 'failed');
    assert.equal((await jobOf(storage)).lastVerdict, 'lost');
  },

  'is cancelled while a cancelled one-off is kept': async ({ storage }) => {
    await addOneOff(storage, { policies: { keepMs: 'forever' } });
    await storage.cancelJob(ref('job'));
    await assertState(storage, 'cancelled');
  },

  'is paused, and on resuming what it was': async ({ storage }) => {
    await addRecurring(storage);
    await storage.pauseJob(ref('job'), pause);
    await assertState(storage, 'paused');
    await storage.resumeJob(ref('job'), (_, now) => ({ nextAt: now + minute, gap: null }));
    await assertState(storage, 'pending');
    await storage.deleteJob(ref('job'));

    await addOneOff(storage);
    await storage.pauseJob(ref('job'), pause);
    await assertState(storage, 'paused');
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    await assertState(storage, 'pending');
  },

  'is paused while a recurring job runs on, and running while a one-off does': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await storage.pauseJob(ref('job'), pause);
    await assertState(storage, 'paused');
    await settle(storage, run);
    await storage.deleteJob(ref('job'));

    await addOneOff(storage);
    const attempt = await claimOne(storage, worker);
    await storage.pauseJob(ref('job'), pause);
    await assertState(storage, 'running');
    await failWithRetry(storage, attempt);
    await assertState(storage, 'paused');
  },

  'shows each state of a run': async ({ storage }) => {
    const worker = await startWorker(storage);
    await addOneOff(storage, { policies: { keepMs: 'forever' } });
    const stateOfRun = async (): Promise<string> => (await runsOf(storage))[0].state;
    assert.equal(await stateOfRun(), 'waiting');
    await storage.pauseJob(ref('job'), pause);
    assert.equal(await stateOfRun(), 'paused');
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    const run = await claimOne(storage, worker);
    assert.equal(await stateOfRun(), 'running');
    await settle(storage, run);
    assert.equal(await stateOfRun(), 'succeeded');
  },
});
