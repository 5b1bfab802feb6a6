import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
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
  only,
  ref,
  second,
  pruneAll,
  settle,
  startWorker,
  type Held,
} from './fixture.js';

export const recordLaws = lawsOf('record', {
  'has exactly one final row for every run, whatever became of it': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: hour });
    const runIds: string[] = [];
    const begin = async (id: string, policies = {}): Promise<Held> => {
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

  'is kept when the clock leaps, until time has caught up': async ({ storage, clock }) => {
    const retention = { defaultMs: 30 * day, byVerdict: {} };
    const worker = await startWorker(storage);
    await addOneOff(storage, { id: 'a' });
    await settle(storage, await claimOne(storage, worker));
    assert.equal((await storage.prune(retention, hour)).withheldMs, 0);
    // An hour has passed for whoever prunes, and the clock shows forty days.
    await clock.advance(40 * day);
    for (let round = 1; round <= 3; round++) {
      const pruned = await storage.prune(retention, hour);
      assert.equal(pruned.attempts + pruned.days, 0, 'A clock that leaps should delete nothing.');
      assertNear(pruned.withheldMs, 40 * day - round * hour, 'withheldMs');
    }
    assert.equal((await attemptsOf(storage, {})).length, 1);
    for (let round = 0; (await storage.prune(retention, day)).withheldMs > 0; round++) assert.ok(round < 50);
    await pruneAll(storage, {}, 30 * day);
    assert.deepEqual(await attemptsOf(storage, {}), []);
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

  'keeps of workers that are long gone the last one that had a handler': async ({ storage, clock }) => {
    const of = async (handlers: readonly string[], app = 'shop'): Promise<string> => {
      const { workerId } = await startWorker(storage, { leaseMs: minute, app, handlers });
      await clock.advance(2 * minute);
      await storage.releaseLost();
      return workerId;
    };
    await of(['mail', 'report']);
    await of(['mail']);
    const both = await of(['report', 'mail']);
    const other = await of(['mail'], 'billing');
    const last = await of(['mail']);
    await clock.advance(50 * day);
    await pruneAll(storage);
    const kept = (await storage.queryWorkers()).map(({ id }) => id);
    assert.deepEqual(new Set(kept), new Set([both, other, last]));
    await startWorker(storage, { leaseMs: minute, app: 'shop', handlers: ['mail', 'report', 'new'] });
    await pruneAll(storage);
    const now = (await storage.queryWorkers()).map(({ app }) => app);
    assert.deepEqual(now.toSorted(), ['billing', 'shop'], 'A live worker has them too.');
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
