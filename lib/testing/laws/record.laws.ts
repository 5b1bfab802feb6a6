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
  minute,
  oneOff,
  only,
  ref,
  runsOf,
  second,
  pruneAll,
  settle,
  startWorker,
} from './fixture.js';

export const recordLaws = lawsOf('record', {
  'has exactly one final row for every run, whatever became of it': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: hour });
    const runIds: string[] = [];
    const begin = async (id: string, policies = {}): Promise<{ id: string; fence: number }> => {
      await addOneOff(storage, { id, policies });
      const run = await claimOne(storage, worker);
      runIds.push(run.id);
      return run;
    };
    await settle(storage, await begin('succeeded'));
    await settle(storage, await begin('failed'), { outcome: 'failed', error: 'x' });
    await failWithRetry(storage, await begin('retried'));
    await settle(storage, await claimOne(storage, worker));
    await settle(storage, await begin('handed back'), { outcome: 'handed_back' });
    await settle(storage, await claimOne(storage, worker), { outcome: 'timed_out', error: 'x' });
    await failWithRetry(storage, await begin('cancelled'), hour);
    await storage.cancelJob(ref('cancelled'));
    const deleted = await begin('deleted');
    await storage.deleteJob(ref('deleted'));
    await failWithRetry(storage, deleted);
    await begin('lost', { recovery: 'abandon' });
    await clock.advance(2 * hour);
    await storage.releaseLost();
    for (const runId of runIds) {
      const finals = await attemptsOf(storage, { runId, finalOnly: true });
      assert.equal(finals.length, 1, `The run ${runId} should have one verdict.`);
      assert.notEqual(finals[0].outcome, 'handed_back');
    }
  },

  'has a row for every attempt, each with its own fence': async ({ storage, clock }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage, { leaseMs: hour });
    await failWithRetry(storage, await claimOne(storage, worker));
    await clock.advance(second);
    await settle(storage, await claimOne(storage, worker), { outcome: 'handed_back' });
    await clock.advance(second);
    await settle(storage, await claimOne(storage, worker));
    const rows = (await attemptsOf(storage)).reverse();
    assert.deepEqual(
      rows.map((row) => [row.attempt, row.outcome]),
      [
        [1, 'failed'],
        [2, 'handed_back'],
        [2, 'succeeded'],
      ],
    );
    assert.equal(new Set(rows.map((row) => row.fence)).size, 3);
  },

  'names the handler and the queue that executed, though the job has others by now': async ({ storage }) => {
    for (const add of [addRecurring, addOneOff]) {
      await add(storage);
      const worker = await startWorker(storage);
      const run = add === addRecurring ? await fireOne(storage, worker) : await claimOne(storage, worker);
      await storage.updateJob(ref('job'), { handler: 'other', queue: 'slow' });
      await settle(storage, run);
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.handler, row.queue], ['work', 'default']);
      await storage.deleteJob(ref('job'));
    }
  },

  'remembers a job that is gone': async ({ storage }) => {
    await addRecurring(storage, { handler: 'work' });
    const run = await fireOne(storage, await startWorker(storage));
    await settle(storage, run);
    await storage.deleteJob(ref('job'));
    assert.equal((await attemptsOf(storage, { jobId: 'job' })).length, 1);
  },

  'loses old rows of the ledger to pruning, and keeps young ones': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: 90 * day });
    await addRecurring(storage);
    await settle(storage, await fireOne(storage, worker));
    await clock.advance(10 * day);
    const young = await fireOne(storage, worker);
    await settle(storage, young);
    await pruneAll(storage, {}, 30 * day);
    assert.equal((await attemptsOf(storage)).length, 2);
    await pruneAll(storage, {}, 5 * day);
    assert.deepEqual(
      (await attemptsOf(storage)).map((row) => row.runId),
      [young.id],
    );
    assert.equal((await jobOf(storage)).runCount, 2, 'Statistics outlive the ledger.');
  },

  'loses old gaps to pruning, and keeps open ones': async ({ storage, clock }) => {
    const { nextRunAt } = await addRecurring(storage);
    const from = nextRunAt!.getTime();
    const worker = await startWorker(storage);
    const gaps = [{ from, until: from, verdict: 'missed', count: 1, reason: 'misfire' }] as const;
    await fireDue(storage, worker, { births: [], gaps, nextAt: from + minute });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    assert.equal((await gapsOf(storage)).length, 2);
    await clock.advance(10 * day);
    await pruneAll(storage, {}, 5 * day);
    assert.deepEqual(
      (await gapsOf(storage)).map((gap) => gap.until),
      [null],
    );
  },

  'prunes nothing that is still to come': async ({ storage, clock }) => {
    await addRecurring(storage, { id: 'recurring', dueInMs: 99 * day });
    await addOneOff(storage, { id: 'later', dueInMs: 99 * day });
    await addOneOff(storage, { id: 'dead' });
    await settle(storage, await claimOne(storage, await startWorker(storage)), {
      outcome: 'failed',
      error: 'x',
    });
    await clock.advance(50 * day);
    await pruneAll(storage);
    for (const id of ['recurring', 'later', 'dead']) await jobOf(storage, id);
  },

  'keeps workers that live, and dead ones that hold runs': async ({ storage, clock }) => {
    await addOneOff(storage);
    const dead = await startWorker(storage, { leaseMs: minute });
    await claimOne(storage, dead);
    const alive = await startWorker(storage, { leaseMs: 90 * day });
    await clock.advance(50 * day);
    await pruneAll(storage);
    assert.notEqual((await storage.renew(alive.workerId, 90 * day, 0)).leaseUntil, null);
    assert.equal((await storage.releaseLost()).runs.length, 1);
    assert.equal((await claimOne(storage, alive)).attempt, 2);
  },

  'gives gaps newest first, by namespace and job, page by page': async ({ storage }) => {
    const worker = await startWorker(storage);
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -hour });
    await addRecurring(storage, { id: 'other', dueInMs: -hour });
    await addRecurring(storage, { namespace: 'elsewhere', dueInMs: -hour });
    const from = nextRunAt!.getTime();
    for (let round = 0; round < 3; round++) {
      const at = from + round * minute;
      const gaps = [{ from: at, until: at, verdict: 'missed', count: 1, reason: `round ${round}` }] as const;
      await fireDue(storage, worker, { births: [], gaps, nextAt: at + minute });
    }
    const all = await storage.queryGaps({ namespace: 'default', jobId: 'job' }, {});
    assert.deepEqual(
      all.items.map((gap) => [gap.namespace, gap.jobId, gap.reason]),
      [2, 1, 0].map((round) => ['default', 'job', `round ${round}`]),
    );
    const first = await storage.queryGaps({ namespace: 'default', jobId: 'job' }, { limit: 2 });
    const rest = await storage.queryGaps(
      { namespace: 'default', jobId: 'job' },
      { limit: 2, cursor: first.cursor! },
    );
    assert.deepEqual([...first.items, ...rest.items], all.items);
    assert.equal(rest.cursor, null);
    assert.equal((await storage.queryGaps({ namespace: 'default' }, {})).items.length, 6);
    assert.equal((await storage.queryGaps({ jobId: 'job' }, {})).items.length, 6);
    assert.equal((await storage.queryGaps({}, {})).items.length, 9);
  },
});

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
