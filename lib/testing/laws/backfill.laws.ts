import assert from 'node:assert/strict';
import type { BackfillOrder, BackfillReport, Run, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  day,
  eightAtOnce,
  failWithRetry,
  fireDue,
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
const plan = (): { nextAt: number; gap: null } => ({ nextAt: 8e12, gap: null });

/** The instants of some hours, from a day ago on. */
async function hoursOfYesterday(storage: StorageAdapter, count: number): Promise<number[]> {
  const start = Math.floor((await storage.now()) / hour) * hour - day;
  return Array.from({ length: count }, (_, index) => start + index * hour);
}

async function backfill(
  storage: StorageAdapter,
  instants: readonly number[],
  given: Partial<BackfillOrder> = {},
): Promise<BackfillReport> {
  const order = { instants, overlap: 'allow', includeSucceeded: false, dryRun: false, ...given } as const;
  const report = await storage.backfill(ref('job'), order);
  assert.ok(report, 'The job should be there.');
  const { created, active, succeeded, scheduled } = report;
  assert.equal(created.length + active + succeeded + scheduled, instants.length);
  return report;
}

/** What waits and runs, in the order of their births. */
async function statesOf(storage: StorageAdapter): Promise<Run['state'][]> {
  return (await runsOf(storage)).map(({ state }) => state).reverse();
}

export const backfillLaws = lawsOf('backfill', {
  'gives each instant a run of its own, due now, with what the job has': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour, payload: 'p', priority: 7, policies: { maxRetries: 3 } });
    const worker = await startWorker(storage);
    const instants = await hoursOfYesterday(storage, 3);
    const report = await backfill(storage, instants);
    assert.deepEqual(report.created, instants);
    const { runs } = await storage.claim(worker, 10);
    assert.deepEqual(
      runs.map(({ id }) => id),
      report.runIds,
    );
    for (const [index, run] of runs.entries()) {
      const { origin, nominalAt, payload, priority, policies, attempt, missed } = run;
      assert.deepEqual(
        { origin, nominalAt, payload, priority, policies, attempt, missed },
        {
          origin: 'backfill',
          nominalAt: instants[index],
          payload: 'p',
          priority: 7,
          policies: { maxRetries: 3 },
          attempt: 1,
          missed: 0,
        },
      );
      await settle(storage, run);
    }
    assert.deepEqual(await runsOf(storage), []);
    assert.equal((await jobOf(storage)).runCount, 3);
  },

  'runs one after the other in a queue, each when the one before has its verdict': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const worker = await startWorker(storage);
    const instants = await hoursOfYesterday(storage, 4);
    const { runIds } = await backfill(storage, instants, { overlap: 'queue' });
    assert.deepEqual(await statesOf(storage), ['waiting', 'blocked', 'blocked', 'blocked']);
    const first = await claimOne(storage, worker);
    await failWithRetry(storage, first);
    assert.deepEqual(await statesOf(storage), ['waiting', 'blocked', 'blocked', 'blocked']);
    await settle(storage, await claimOne(storage, worker));
    const second = await claimOne(storage, worker);
    await settle(storage, second, { outcome: 'failed', error: 'boom' });
    const third = await claimOne(storage, worker);
    assert.deepEqual([first.id, second.id, third.id], runIds.slice(0, 3));
    await settle(storage, third);
    await settle(storage, await claimOne(storage, worker));
    const finals = await attemptsOf(storage, { finalOnly: true });
    assert.equal(finals.length, 4);
  },

  'lets a queue go on after a run of it that is cancelled, before or while it runs': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const worker = await startWorker(storage);
    const instants = await hoursOfYesterday(storage, 4);
    const { runIds } = await backfill(storage, instants, { overlap: 'queue' });
    const first = await claimOne(storage, worker);
    await storage.cancelRun(runIds[1]);
    assert.deepEqual(await statesOf(storage), ['running', 'blocked', 'blocked']);
    await storage.cancelRun(first.id);
    await settle(storage, first, { outcome: 'cancelled' });
    assert.equal((await claimOne(storage, worker)).id, runIds[2]);
  },

  'lets a queue go on after a run whose worker has died': async ({ storage, clock }) => {
    await addRecurring(storage, { dueInMs: day, policies: { recovery: 'abandon' } });
    const dead = await startWorker(storage, { leaseMs: minute });
    const { runIds } = await backfill(storage, await hoursOfYesterday(storage, 2), { overlap: 'queue' });
    await claimOne(storage, dead);
    await clock.advance(2 * minute);
    await storage.releaseLost();
    assert.equal((await claimOne(storage, await startWorker(storage))).id, runIds[1]);
  },

  'has a queue wait for an earlier one, and nothing else': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const scheduled = await fireOne(storage, worker);
    const instants = await hoursOfYesterday(storage, 6);
    const before = await backfill(storage, instants.slice(0, 2), { overlap: 'queue' });
    const beside = await backfill(storage, instants.slice(2, 4));
    const after = await backfill(storage, instants.slice(4), { overlap: 'queue' });
    const claimed = (await storage.claim(worker, 10)).runs;
    assert.deepEqual(
      claimed.map(({ id }) => id).sort(),
      [before.runIds[0], ...beside.runIds].sort(),
      'Runs that are not in the queue, and the schedule, hold nothing up.',
    );
    await settle(
      storage,
      claimed.find(({ id }) => id === before.runIds[0])!,
    );
    const second = await claimOne(storage, worker);
    assert.equal(second.id, before.runIds[1]);
    await settle(storage, second);
    assert.equal((await claimOne(storage, worker)).id, after.runIds[0]);
    await settle(storage, scheduled);
  },

  'is beside the schedule, whatever its overlap policy': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 30 * day });
    await backfill(storage, await hoursOfYesterday(storage, 3), { overlap: 'queue' });
    const backfilled = await claimOne(storage, worker);
    for (const overlap of ['skip', 'queue', 'cancel-running', 'wait'] as const) {
      const run = await fireOne(storage, worker, { overlap });
      if (overlap === 'queue' || overlap === 'cancel-running') {
        await clock.advance(2 * hour);
        await fireDue(storage, worker, { overlap });
        await settle(storage, run, overlap === 'queue' ? {} : { outcome: 'cancelled' });
        await settle(storage, await claimOne(storage, worker));
      } else await settle(storage, run);
      await clock.advance(2 * hour);
    }
    assert.deepEqual(await gapsOf(storage), []);
    assert.deepEqual(await statesOf(storage), ['running', 'blocked', 'blocked']);
    await settle(storage, backfilled);
    assert.equal((await claimOne(storage, worker)).origin, 'backfill');
  },

  'leaves out instants whose run has no verdict, and takes those that gave up': async ({
    storage,
    clock,
  }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -3 * hour });
    const worker = await startWorker(storage, { leaseMs: 30 * day });
    const first = nextRunAt!.getTime();
    const running = await fireOne(storage, worker, { overlap: 'allow' });
    const failed = await fireOne(storage, worker, { overlap: 'allow' });
    const instants = [first, first + hour];
    assert.deepEqual((await backfill(storage, instants)).created, []);
    await settle(storage, failed, { outcome: 'failed', error: 'boom' });
    const report = await backfill(storage, instants);
    assert.deepEqual([report.created, report.active], [[first + hour], 1]);
    await failWithRetry(storage, running, hour);
    assert.equal((await backfill(storage, instants)).active, 2, 'Retries and backfilled runs count.');
    await clock.advance(minute);
    const dead = only((await storage.queryRuns({ state: 'failed' }, {})).items, 'dead letter');
    await settle(storage, await claimOne(storage, worker), { outcome: 'cancelled' });
    await storage.retryRuns([dead.id]);
    assert.equal((await backfill(storage, instants)).active, 2, 'A retry by hand counts.');
  },

  'leaves out instants that have succeeded, unless asked for': async ({ storage, clock }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -3 * hour });
    const worker = await startWorker(storage, { leaseMs: hour });
    const first = nextRunAt!.getTime();
    await settle(storage, await fireOne(storage, worker));
    await clock.advance(minute);
    const instants = [first - hour, first];
    const report = await backfill(storage, instants);
    assert.deepEqual([report.created, report.succeeded], [[first - hour], 1]);
    await settle(storage, await claimOne(storage, worker));
    assert.equal((await backfill(storage, instants)).succeeded, 2, 'Backfilled runs count.');
    assert.deepEqual((await backfill(storage, instants, { includeSucceeded: true })).created, instants);
  },

  'leaves out what the schedule itself is about to fire': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -2 * hour });
    const at = nextRunAt!.getTime();
    const report = await backfill(storage, [at - hour, at, at + hour]);
    assert.deepEqual([report.created, report.scheduled], [[at - hour], 2]);
    await storage.pauseJob(ref('job'), pause);
    const paused = await backfill(storage, [at, at + hour]);
    assert.equal(paused.created.length, 2, 'What falls into a pause will not be fired.');
  },

  'runs also while the job is paused, its retries and its queue included; a later pause holds it': async ({
    storage,
  }) => {
    await addRecurring(storage, { dueInMs: hour });
    const worker = await startWorker(storage);
    await storage.pauseJob(ref('job'), pause);
    const { runIds } = await backfill(storage, await hoursOfYesterday(storage, 3), { overlap: 'queue' });
    await failWithRetry(storage, await claimOne(storage, worker));
    await settle(storage, await claimOne(storage, worker));
    const second = await claimOne(storage, worker);
    assert.equal(second.id, runIds[1]);
    assert.equal((await jobOf(storage)).state, 'paused');
    await storage.resumeJob(ref('job'), plan);
    await storage.pauseJob(ref('job'), pause);
    await failWithRetry(storage, second);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.deepEqual(await statesOf(storage), ['paused', 'paused']);
    await storage.resumeJob(ref('job'), plan);
    assert.equal((await claimOne(storage, worker)).id, runIds[1]);
  },

  'changes nothing in a dry run': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const instants = await hoursOfYesterday(storage, 3);
    const report = await backfill(storage, instants, { dryRun: true });
    assert.deepEqual([report.created, report.runIds], [instants, []]);
    assert.deepEqual(await runsOf(storage), []);
  },

  'creates one run for an instant, however many ask at once': async ({ storage, open }) => {
    await addRecurring(storage, { dueInMs: hour });
    const instants = await hoursOfYesterday(storage, 5);
    const adapters = [storage, await open()];
    const reports = await eightAtOnce(adapters, (adapter, index) =>
      backfill(adapter, instants, { overlap: index % 4 < 2 ? 'queue' : 'allow' }),
    );
    assert.equal(reports.flatMap(({ runIds }) => runIds).length, 5);
    assert.equal((await runsOf(storage)).length, 5);
  },

  'goes with its job, and ends when the job is cancelled': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const instants = await hoursOfYesterday(storage, 3);
    await backfill(storage, instants, { overlap: 'queue' });
    assert.equal(await storage.cancelJob(ref('job')), 3);
    assert.deepEqual(await runsOf(storage), []);
    await backfill(storage, instants, { overlap: 'queue' });
    await storage.deleteJob(ref('job'));
    assert.deepEqual(await runsOf(storage), []);
    assert.equal((await attemptsOf(storage, { outcome: 'cancelled' })).length, 6);
  },

  'finds no job where there is none, and none that recurs in a one-off': async ({ storage }) => {
    const order = { instants: [0], overlap: 'allow', includeSucceeded: false, dryRun: false } as const;
    assert.equal(await storage.backfill(ref('none'), order), null);
    await addOneOff(storage, { dueInMs: hour });
    assert.equal(await storage.backfill(ref('job'), order), null);
  },

  'wakes a worker for what it makes due': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    const worker = await startWorker(storage);
    for (const overlap of ['queue', 'allow'] as const) {
      const [instant] = await hoursOfYesterday(storage, 1);
      await backfill(storage, [instant - (overlap === 'queue' ? 0 : hour)], { overlap });
      const { now, runAt } = await storage.nextWakeAt(worker);
      assert.ok(runAt !== null && runAt <= now);
      await settle(storage, await claimOne(storage, worker));
    }
  },
});
