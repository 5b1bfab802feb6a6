import assert from 'node:assert/strict';
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
  settle,
  startWorker,
} from './fixture.js';

export const statisticsLaws = lawsOf('statistics', {
  'count attempts, errors and failures in a row of a recurring job': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    const next = async (given: Parameters<typeof settle>[2]): Promise<unknown[]> => {
      await clock.advance(2 * hour);
      await settle(storage, await fireOne(storage, worker), given);
      const { runCount, errorCount, consecutiveFailures, lastVerdict, lastError } = await jobOf(storage);
      return [runCount, errorCount, consecutiveFailures, lastVerdict, lastError];
    };
    assert.deepEqual(await next({}), [1, 0, 0, 'succeeded', null]);
    assert.deepEqual(await next({ outcome: 'failed', error: 'one' }), [2, 1, 1, 'failed', 'one']);
    assert.deepEqual(await next({ outcome: 'timed_out', error: 'two' }), [3, 2, 2, 'timed_out', 'two']);
    assert.deepEqual(await next({ outcome: 'cancelled' }), [4, 2, 2, 'cancelled', 'two']);
    assert.deepEqual(await next({}), [5, 2, 0, 'succeeded', 'two']);
  },

  'count a failed attempt with a retry as an error, not as a failure in a row': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await failWithRetry(storage, await fireOne(storage, worker));
    let job = await jobOf(storage);
    assert.deepEqual(
      [job.runCount, job.errorCount, job.consecutiveFailures, job.lastVerdict],
      [1, 1, 0, null],
    );
    await settle(storage, await claimOne(storage, worker));
    job = await jobOf(storage);
    assert.deepEqual(
      [job.runCount, job.errorCount, job.consecutiveFailures, job.lastVerdict],
      [2, 1, 0, 'succeeded'],
    );
  },

  'count the attempts of a one-off': async ({ storage }) => {
    await addOneOff(storage, { policies: { keepMs: hour } });
    const worker = await startWorker(storage);
    await failWithRetry(storage, await claimOne(storage, worker));
    await failWithRetry(storage, await claimOne(storage, worker));
    const waiting = await jobOf(storage);
    assert.deepEqual([waiting.runCount, waiting.errorCount, waiting.lastError], [2, 2, 'boom']);
    await settle(storage, await claimOne(storage, worker));
    const { runCount, errorCount, consecutiveFailures, lastVerdict } = await jobOf(storage);
    assert.deepEqual([runCount, errorCount, consecutiveFailures, lastVerdict], [3, 2, 0, 'succeeded']);
  },

  'tell when the last finished attempt began': async ({ storage }) => {
    await addRecurring(storage);
    const run = await fireOne(storage, await startWorker(storage));
    assert.equal((await jobOf(storage)).lastRunAt, null);
    await settle(storage, run);
    assertNear((await jobOf(storage)).lastRunAt, await storage.now(), 'lastRunAt');
  },

  'do not count what never began': async ({ storage }) => {
    await addRecurring(storage);
    await fireDue(storage, await startWorker(storage), { room: 0 });
    await storage.cancelJob(ref('job'));
    const { runCount, errorCount, lastRunAt } = await jobOf(storage);
    assert.deepEqual([runCount, errorCount, lastRunAt], [0, 0, null]);
  },

  'count a retry by hand that fails as an attempt, and as no further failure in a row': async ({
    storage,
  }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const first = await fireOne(storage, worker);
    await settle(storage, first, { outcome: 'failed', error: 'first' });
    await storage.retryRuns([first.id]);
    await settle(storage, await claimOne(storage, worker), { outcome: 'failed', error: 'second' });
    const { runCount, errorCount, consecutiveFailures, lastError } = await jobOf(storage);
    assert.deepEqual([runCount, errorCount, consecutiveFailures, lastError], [2, 2, 1, 'second']);
  },

  'count a lost attempt': async ({ storage, clock }) => {
    await addRecurring(storage);
    await fireOne(storage, await startWorker(storage, { leaseMs: minute }));
    await clock.advance(2 * minute);
    await storage.releaseLost();
    const { runCount, errorCount, consecutiveFailures } = await jobOf(storage);
    assert.deepEqual([runCount, errorCount, consecutiveFailures], [1, 1, 0]);
  },
});
