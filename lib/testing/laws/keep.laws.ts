import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  day,
  failWithRetry,
  fireDue,
  fireOne,
  gapsOf,
  hour,
  jobOf,
  oneOff,
  ref,
  runsOf,
  second,
  pruneAll,
  settle,
  startWorker,
} from './fixture.js';

export const keepLaws = lawsOf('keep', {
  'a one-off that succeeded goes at once by default': async ({ storage }) => {
    await addOneOff(storage);
    await settle(storage, await claimOne(storage, await startWorker(storage)));
    assert.equal(await storage.getJob(ref('job')), null);
    assert.deepEqual(await runsOf(storage), []);
    assert.equal(await storage.countJobs({}), 0);
  },

  'a one-off that is kept stays, with its id taken, until its time is over': async ({ storage, clock }) => {
    await addOneOff(storage, { policies: { keepMs: hour } });
    await settle(storage, await claimOne(storage, await startWorker(storage)));
    const again = await oneOff(storage);
    await pruneAll(storage, {}, 30 * day);
    assert.equal((await jobOf(storage)).state, 'completed');
    assert.deepEqual(await storage.insertJobs([again], 'raise'), [{ status: 'conflict' }]);
    await clock.advance(2 * hour);
    await pruneAll(storage, {}, 30 * day);
    assert.equal(await storage.getJob(ref('job')), null);
    const [result] = await storage.insertJobs([again], 'raise');
    assert.equal(result.status, 'created');
  },

  'keeps each outcome for as long as its own time': async ({ storage, clock, open }) => {
    // One that has pruned before may look only at what has grown too old since.
    const janitor = await open();
    const worker = await startWorker(storage, { leaseMs: 90 * day });
    const outcomes = ['succeeded', 'failed', 'cancelled', 'handed_back'] as const;
    const settleEach = async (): Promise<void> => {
      for (const outcome of outcomes) {
        await addOneOff(storage, { id: outcome });
        await settle(storage, await claimOne(storage, worker), { outcome, error: 'x' });
        await storage.deleteJob(ref(outcome));
      }
    };
    const kept = async (): Promise<string[]> => (await attemptsOf(storage)).map((row) => row.outcome).sort();
    const retention = { succeeded: 2 * day, failed: 9 * day, handed_back: day };
    await settleEach();
    await clock.advance(3 * day);
    await settleEach();
    assert.deepEqual(await kept(), [
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
      'failed',
      'failed',
      'handed_back',
      'handed_back',
      'succeeded',
      'succeeded',
    ]);
    const forgotten = await pruneAll(janitor, retention, 5 * day);
    assert.deepEqual(await kept(), [
      'cancelled',
      'cancelled',
      'cancelled',
      'cancelled',
      'failed',
      'failed',
      'handed_back',
      'succeeded',
    ]);
    assert.equal(forgotten.attempts, 2);
    await clock.advance(3 * day);
    await pruneAll(janitor, retention, 5 * day);
    assert.deepEqual(await kept(), ['cancelled', 'cancelled', 'failed', 'failed']);
    await clock.advance(4 * day);
    await pruneAll(janitor, retention, 5 * day);
    assert.deepEqual(await kept(), ['failed']);
    await clock.advance(3 * day);
    await pruneAll(janitor, retention, 5 * day);
    assert.deepEqual(await kept(), []);
  },

  'keeps each kind of gap for as long as its own time': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: 90 * day });
    await addRecurring(storage);
    const at = await storage.now();
    const gaps = (['missed', 'skipped', 'excluded'] as const).map((verdict) => ({
      from: at,
      until: at,
      verdict,
      count: 1,
      reason: verdict,
    }));
    await fireDue(storage, worker, { births: [], gaps });
    await clock.advance(3 * day);
    const forgotten = await pruneAll(storage, { missed: 2 * day, skipped: 4 * day }, 5 * day);
    assert.equal(forgotten.gaps, 1);
    const kept = async (): Promise<string[]> => (await gapsOf(storage)).map((gap) => gap.verdict).sort();
    assert.deepEqual(await kept(), ['excluded', 'skipped']);
    await clock.advance(1.5 * day);
    await pruneAll(storage, { missed: 2 * day, skipped: 4 * day }, 5 * day);
    assert.deepEqual(await kept(), ['excluded']);
  },

  'a one-off that is kept for ever stays': async ({ storage, clock }) => {
    await addOneOff(storage, { policies: { keepMs: 'forever' } });
    await settle(storage, await claimOne(storage, await startWorker(storage)));
    await clock.advance(400 * day);
    await pruneAll(storage);
    assert.equal((await jobOf(storage)).state, 'completed');
  },

  'a one-off that is to leave no record leaves none, however its attempts end': async ({
    storage,
    clock,
  }) => {
    const worker = await startWorker(storage, { leaseMs: hour });
    const policies = { keepMs: 'none' } as const;
    await addOneOff(storage, { policies });
    await failWithRetry(storage, await claimOne(storage, worker));
    await settle(storage, await claimOne(storage, worker), { outcome: 'handed_back' });
    await settle(storage, await claimOne(storage, worker));
    assert.equal(await storage.getJob(ref('job')), null);
    const [again] = await storage.insertJobs([await oneOff(storage, { policies })], 'raise');
    assert.equal(again.status, 'created', 'The id should be free at once.');
    await storage.cancelJob(ref('job'));
    await addOneOff(storage, { policies });
    await claimOne(storage, worker);
    await storage.deleteJob(ref('job'));
    await clock.advance(2 * hour);
    await storage.releaseLost();
    assert.deepEqual(await attemptsOf(storage), []);
    assert.deepEqual(await runsOf(storage), []);
  },

  'a one-off that leaves no record stays as a dead letter when it gave up': async ({ storage }) => {
    await addOneOff(storage, { policies: { keepMs: 'none' } });
    await settle(storage, await claimOne(storage, await startWorker(storage)), {
      outcome: 'failed',
      error: 'boom',
    });
    const { state, lastError, runCount } = await jobOf(storage);
    assert.deepEqual([state, lastError, runCount], ['failed', 'boom', 1]);
    assert.deepEqual(await attemptsOf(storage), []);
    const [retry] = await storage.retryRuns([(await runsOf(storage))[0].id]);
    assert.equal(retry.state, 'waiting');
  },

  'a recurring job has a record, whatever it says': async ({ storage }) => {
    await addRecurring(storage, { policies: { keepMs: 'none' } });
    await settle(storage, await fireOne(storage, await startWorker(storage)));
    assert.equal((await attemptsOf(storage, { finalOnly: true })).length, 1);
  },

  'a one-off that gave up stays as a dead letter, whatever it says': async ({ storage, clock }) => {
    await addOneOff(storage, { policies: { keepMs: second } });
    await settle(storage, await claimOne(storage, await startWorker(storage)), {
      outcome: 'failed',
      error: 'boom',
    });
    await clock.advance(90 * day);
    await pruneAll(storage);
    const { state, lastError, nextRunAt } = await jobOf(storage);
    assert.deepEqual([state, lastError, nextRunAt], ['failed', 'boom', null]);
  },

  'a run of a recurring job that succeeded goes, whatever it says': async ({ storage }) => {
    await addRecurring(storage, { policies: { keepMs: 'forever' } });
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker));
    assert.deepEqual(await runsOf(storage), []);
  },
});
