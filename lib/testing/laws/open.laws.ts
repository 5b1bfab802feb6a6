import assert from 'node:assert/strict';
import type { ClaimedRun, Settlement, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  accepts,
  addOneOff,
  addRecurring,
  assertNear,
  attemptsOf,
  claimOne,
  day,
  eightAtOnce,
  fireDue,
  fireOne,
  hour,
  holdOf,
  jobOf,
  minute,
  only,
  pruneAll,
  ref,
  runsOf,
  second,
  settle,
  settlementOf,
  startWorker,
  type Wanted,
} from './fixture.js';

type Given = Partial<Settlement> & { retryInMs?: number };

/** Gives a verdict from outside. */
async function end(
  storage: Pick<StorageAdapter, 'settleOpen'>,
  runId: string,
  given: Given = {},
): Promise<boolean> {
  const { retryInMs, ...fields } = given;
  return storage.settleOpen(runId, (run, now) => ({
    ...holdOf(run),
    outcome: 'succeeded',
    startedAt: run.openedAt!,
    finishedAt: now,
    retryAt: retryInMs === undefined ? null : now + retryInMs,
    error: null,
    result: null,
    oneOff: run.jobUid === null,
    ...fields,
  }));
}

/** Leaves a run open that a worker has, until the deadline. */
async function leaveOpen(
  storage: StorageAdapter,
  run: ClaimedRun,
  deadlineInMs?: number,
): Promise<ClaimedRun> {
  const retryInMs = deadlineInMs === undefined ? {} : { retryInMs: deadlineInMs };
  await settle(storage, run, { outcome: 'opened', ...retryInMs });
  return run;
}

/** The run of a one-off that is open. */
async function openOneOff(
  storage: StorageAdapter,
  wanted: Wanted & { deadlineInMs?: number } = {},
): Promise<ClaimedRun> {
  const { deadlineInMs, ...job } = wanted;
  await addOneOff(storage, job);
  return leaveOpen(storage, await claimOne(storage, await startWorker(storage)), deadlineInMs);
}

/** A run of a recurring job that is open. */
async function openRecurring(
  storage: StorageAdapter,
  wanted: Wanted & { deadlineInMs?: number } = {},
): Promise<ClaimedRun> {
  const { deadlineInMs, ...job } = wanted;
  await addRecurring(storage, job);
  return leaveOpen(storage, await fireOne(storage, await startWorker(storage)), deadlineInMs);
}

const openers = [openOneOff, openRecurring];
const finalsOf = async (storage: StorageAdapter, runId: string) =>
  attemptsOf(storage, { runId, finalOnly: true });

export const openLaws = lawsOf('open runs', {
  'a run that is opened is in no hands, goes on, and is on record as opened': async ({ storage }) => {
    for (const open of openers) {
      const run = await open(storage, { deadlineInMs: hour });
      const [stored] = await runsOf(storage);
      assert.deepEqual([stored.state, stored.attempt, stored.worker, stored.lostCount], ['open', 1, null, 0]);
      assertNear(stored.dueAt, (await storage.now()) + hour, 'The deadline');
      assert.ok(stored.startedAt !== null);
      assert.ok(stored.fence > run.fence);
      const row = only(await attemptsOf(storage, { runId: run.id }), 'ledger row');
      assert.deepEqual([row.outcome, row.final, row.attempt, row.worker], ['opened', false, 1, run.worker]);
      const job = await jobOf(storage);
      assert.deepEqual([job.state, job.runCount, job.lastVerdict], ['running', 0, null]);
      if (open === openOneOff) assert.equal(job.nextRunAt, null);
      assert.equal(only((await storage.queryRuns({ state: 'open' }, {})).items, 'open run').id, stored.id);
      assert.deepEqual((await storage.queryRuns({ state: ['waiting', 'running'] }, {})).items, []);
      assert.equal(await storage.countJobs({ state: 'running' }), 1);
      assert.deepEqual(
        await accepts(storage, [await settlementOf(storage, run)]),
        [],
        'Its worker has lost it.',
      );
      await storage.deleteJob(ref('job'));
    }
  },

  'is handed to nobody before its deadline, then to one worker, as the attempt that it was': async ({
    storage,
    clock,
  }) => {
    for (const recovery of ['rerun', 'abandon'] as const) {
      const opened = await openOneOff(storage, { deadlineInMs: 10 * second, policies: { recovery } });
      const [{ startedAt }] = await runsOf(storage);
      const worker = await startWorker(storage, { leaseMs: day });
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      assertNear(
        (await storage.nextWakeAt(worker)).runAt,
        (await storage.now()) + 10 * second,
        'The next wake',
      );
      await clock.advance(11 * second);
      const run = await claimOne(storage, worker);
      assert.deepEqual([run.id, run.attempt, run.openedAt], [opened.id, 1, startedAt!.getTime()]);
      const [stored] = await runsOf(storage);
      assert.deepEqual([stored.state, stored.attempt, stored.startedAt], ['open', 1, startedAt]);
      assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
      await settle(storage, run, { outcome: 'timed_out', error: 'deadline' });
      const row = only(await finalsOf(storage, run.id), 'verdict');
      assert.deepEqual([row.outcome, row.attempt], ['timed_out', 1]);
      assert.equal(await end(storage, run.id), false);
      await storage.deleteJob(ref('job'));
    }
  },

  'is open for ever without a deadline': async ({ storage, clock }) => {
    for (const open of openers) {
      await open(storage);
      await clock.advance(2 * day);
      const worker = await startWorker(storage);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      assert.equal((await storage.nextWakeAt(worker)).runAt, null);
      await storage.deferStranded();
      await storage.liftOverdue();
      const [stored] = await runsOf(storage);
      assert.deepEqual([stored.state, stored.dueAt], ['open', null]);
      await storage.deleteJob(ref('job'));
    }
  },

  'gets its verdict from outside, by any adapter, once': async ({ storage, open }) => {
    for (const opened of openers) {
      const run = await opened(storage, { deadlineInMs: hour });
      const [{ startedAt, fence }] = await runsOf(storage);
      assert.equal(await end(await open(), run.id, { result: { paid: 7 } }), true);
      const row = only(await finalsOf(storage, run.id), 'verdict');
      assert.deepEqual([row.outcome, row.attempt, row.worker], ['succeeded', 1, 'outside']);
      assert.deepEqual([row.result, row.startedAt], [{ paid: 7 }, startedAt]);
      assert.ok(row.fence > fence);
      assert.deepEqual(await runsOf(storage), []);
      if (opened === openRecurring) {
        const { lastVerdict, runCount, lastRunAt } = await jobOf(storage);
        assert.deepEqual([lastVerdict, runCount, lastRunAt], ['succeeded', 1, startedAt]);
        await storage.deleteJob(ref('job'));
      } else assert.equal(await storage.getJob(ref('job')), null);
      assert.equal(await end(storage, run.id), false);
      assert.equal((await finalsOf(storage, run.id)).length, 1);
    }
  },

  'gets the first of eight verdicts that come at once': async ({ storage, open }) => {
    const run = await openOneOff(storage);
    const adapters = [storage, await open()];
    const ended = await eightAtOnce(adapters, (adapter) => end(adapter, run.id));
    assert.equal(ended.filter(Boolean).length, 1);
    assert.equal((await finalsOf(storage, run.id)).length, 1);
  },

  'shows the judge the run as a worker gets it': async ({ storage }) => {
    const policies = { maxRetries: 3 };
    for (const open of openers) {
      const run = await open(storage, { payload: { order: 7 }, policies, metadata: { team: 'a' } });
      let seen: ClaimedRun | null = null;
      await storage.settleOpen(run.id, (taken, now) => {
        seen = taken;
        assert.ok(taken.openedAt! <= now);
        const fields = { outcome: 'succeeded', retryAt: null, error: null, result: null } as const;
        return { ...holdOf(taken), ...fields, startedAt: taken.openedAt!, finishedAt: now };
      });
      const { fence, openedAt, worker, dueAt: _, ...rest } = seen! as ClaimedRun;
      const { fence: before, worker: __, dueAt: ___, ...same } = run;
      assert.deepEqual(rest, same);
      assert.ok(fence > before && openedAt !== undefined);
      assert.equal(worker, 'outside');
      if (open === openRecurring) await storage.deleteJob(ref('job'));
    }
  },

  'is tried again, once more from the start, where it fails and has retries': async ({ storage }) => {
    const run = await openOneOff(storage, { deadlineInMs: hour });
    assert.equal(
      await end(storage, run.id, { outcome: 'failed', error: 'declined', retryInMs: -second }),
      true,
    );
    const [stored] = await runsOf(storage);
    assert.deepEqual([stored.state, stored.attempt, stored.lastError], ['waiting', 1, 'declined']);
    assert.equal(await end(storage, run.id), false, 'It is not open any more.');
    const again = await claimOne(storage, await startWorker(storage));
    assert.deepEqual([again.id, again.attempt, again.openedAt], [run.id, 2, undefined]);
    await leaveOpen(storage, again);
    assert.equal(await end(storage, run.id), true);
    const rows = (await attemptsOf(storage, { runId: run.id })).toReversed();
    assert.deepEqual(
      rows.map(({ outcome, attempt, final }) => [outcome, attempt, final]),
      [
        ['opened', 1, false],
        ['failed', 1, false],
        ['opened', 2, false],
        ['succeeded', 2, true],
      ],
    );
  },

  'is a dead letter where it fails for good, whose retry begins anew': async ({ storage, clock }) => {
    for (const open of openers) {
      const run = await open(storage, { deadlineInMs: hour });
      await end(storage, run.id, { outcome: 'failed', error: 'declined' });
      assert.equal(only((await storage.queryRuns({ state: 'failed' }, {})).items, 'dead letter').id, run.id);
      assert.equal(await end(storage, run.id), false);
      only(await storage.retryRuns([run.id]), 'retry');
      await clock.advance(second);
      const again = await claimOne(storage, await startWorker(storage));
      assert.deepEqual([again.attempt, again.openedAt], [1, undefined]);
      await storage.deleteJob(ref('job'));
      await settle(storage, again);
    }
  },

  'gives birth to the callback of its verdict': async ({ storage }) => {
    const run = await openOneOff(storage);
    const [callback] = [await jobOf(storage)];
    const born = {
      ...callback,
      id: 'after',
      handler: 'work',
      app: null,
      source: 'api' as const,
      definitionHash: '',
      nextAt: null,
    };
    await end(storage, run.id, { callback: born });
    assert.equal((await jobOf(storage, 'after')).state, 'pending');
  },

  'a verdict takes it from the worker that has it at the deadline': async ({ storage, clock }) => {
    const run = await openOneOff(storage, { deadlineInMs: second });
    await clock.advance(2 * second);
    const worker = await startWorker(storage);
    const late = await claimOne(storage, worker);
    assert.equal(await end(storage, run.id, { result: 'in time' }), true);
    const settlement = await settlementOf(storage, late, { outcome: 'timed_out' });
    assert.deepEqual(await accepts(storage, [settlement]), []);
    const row = only(await finalsOf(storage, run.id), 'verdict');
    assert.deepEqual([row.outcome, row.result, row.attempt], ['succeeded', 'in time', 1]);
    assert.deepEqual(await storage.heldBy(worker.workerId), []);
  },

  'is open as before where the worker that has it at the deadline dies': async ({ storage, clock }) => {
    for (const policies of [{}, { recovery: 'abandon' as const }, { maxLost: 1 }]) {
      const run = await openOneOff(storage, { deadlineInMs: second, policies });
      await clock.advance(2 * second);
      await claimOne(storage, await startWorker(storage, { leaseMs: second }));
      await clock.advance(2 * second);
      await storage.releaseLost();
      const [stored] = await runsOf(storage);
      assert.deepEqual([stored.state, stored.attempt, stored.lostCount, stored.worker], ['open', 1, 0, null]);
      const worker = await startWorker(storage);
      const again = await claimOne(storage, worker);
      assert.deepEqual([again.attempt, again.openedAt], [1, stored.startedAt!.getTime()]);
      assert.equal(await end(storage, run.id), true);
      const outcomes = (await attemptsOf(storage, { runId: run.id })).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, ['succeeded', 'opened']);
    }
  },

  'is open as before where it is given back at the deadline': async ({ storage, clock }) => {
    for (const policies of [{}, { recovery: 'abandon' as const }]) {
      const run = await openOneOff(storage, { deadlineInMs: second, policies });
      await clock.advance(2 * second);
      const worker = await startWorker(storage);
      assert.deepEqual((await storage.giveBack([holdOf(await claimOne(storage, worker))])).lost, []);
      const [stored] = await runsOf(storage);
      assert.deepEqual([stored.state, stored.attempt], ['open', 1]);
      const again = await claimOne(storage, worker);
      assert.deepEqual([again.id, again.attempt, again.openedAt], [run.id, 1, stored.startedAt!.getTime()]);
      await settle(storage, again, { outcome: 'timed_out', retryInMs: -second });
      const third = await claimOne(storage, worker);
      assert.deepEqual([third.attempt, third.openedAt], [2, undefined]);
      await settle(storage, third);
    }
  },

  'holds overlap: skips, queues, or is cancelled by the next instant': async ({ storage, clock }) => {
    for (const overlap of ['skip', 'queue', 'cancel-running'] as const) {
      const run = await openRecurring(storage, { deadlineInMs: 2 * hour });
      await clock.advance(hour);
      const worker = await startWorker(storage);
      const fired = await fireDue(storage, worker, { overlap, room: 0 });
      assert.equal(fired.skipped.length, overlap === 'skip' ? 1 : 0);
      const states = async () => (await runsOf(storage)).map(({ state }) => state);
      if (overlap === 'skip') assert.deepEqual(await states(), ['open']);
      if (overlap === 'queue') {
        assert.deepEqual(await states(), ['blocked', 'open']);
        assert.deepEqual((await storage.claim(worker, 10)).runs, []);
        await end(storage, run.id);
      }
      if (overlap === 'cancel-running')
        assert.equal(only(await finalsOf(storage, run.id), 'verdict').outcome, 'cancelled');
      if (overlap !== 'skip') assert.notEqual((await claimOne(storage, worker)).id, run.id);
      await storage.deleteJob(ref('job'));
    }
  },

  'holds a fixed delay until its verdict': async ({ storage, clock }) => {
    const trigger = { type: 'interval', every: hour, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const worker = await startWorker(storage, { leaseMs: day });
    const run = await leaveOpen(
      storage,
      await fireOne(storage, worker, { overlap: 'wait', nextAt: Infinity }),
    );
    assert.equal((await jobOf(storage)).nextRunAt, null);
    await clock.advance(minute);
    await end(storage, run.id);
    assertNear((await jobOf(storage)).nextRunAt, (await storage.now()) + hour, 'The next time');
  },

  'ends as cancelled at once, by its id, with its job, and where its job is deleted': async ({ storage }) => {
    for (const open of openers) {
      for (const act of ['run', 'job', 'delete'] as const) {
        const run = await open(storage, { deadlineInMs: hour });
        if (act === 'run') assert.equal(await storage.cancelRun(run.id), 'cancelled');
        if (act === 'job') assert.equal(await storage.cancelJob(ref('job')), 1);
        if (act === 'delete') assert.equal(await storage.deleteJob(ref('job')), true);
        const row = only(await finalsOf(storage, run.id), 'verdict');
        assert.deepEqual([row.outcome, row.startedAt, row.attempt], ['cancelled', null, 1]);
        assert.equal(await end(storage, run.id), false);
        await storage.deleteJob(ref('job'));
      }
    }
  },

  'is cancelled instead where that was asked for, or its job deleted, before it was opened': async ({
    storage,
  }) => {
    for (const act of ['cancel', 'delete'] as const) {
      await addOneOff(storage);
      const run = await claimOne(storage, await startWorker(storage));
      if (act === 'cancel') await storage.cancelRun(run.id);
      else await storage.deleteJob(ref('job'));
      await leaveOpen(storage, run, hour);
      assert.equal(only(await finalsOf(storage, run.id), 'verdict').outcome, 'cancelled');
      assert.equal(await end(storage, run.id), false);
      await storage.deleteJob(ref('job'));
    }
  },

  'stays open through a pause of its job, during which only its deadline waits': async ({
    storage,
    clock,
  }) => {
    for (const open of openers) {
      const run = await open(storage, { deadlineInMs: second });
      const [before] = await runsOf(storage);
      await storage.pauseJob(ref('job'), { reason: null, by: null });
      assert.deepEqual(await runsOf(storage), [before]);
      await clock.advance(minute);
      const worker = await startWorker(storage);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
      assert.deepEqual(await runsOf(storage), [before]);
      const late = await claimOne(storage, worker);
      assert.deepEqual([late.id, late.attempt], [run.id, 1]);
      await storage.giveBack([holdOf(late)]);
      await storage.pauseJob(ref('job'), { reason: null, by: null });
      assert.equal(await end(storage, run.id, { outcome: 'failed', retryInMs: -second }), true);
      assert.equal(only(await runsOf(storage), 'run').state, 'paused');
      await storage.deleteJob(ref('job'));
    }
  },

  'stays open for ever where it was so before a pause': async ({ storage }) => {
    const run = await openOneOff(storage);
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await storage.resumeJob(ref('job'), () => ({ nextAt: null, gap: null }));
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
    assert.equal(only(await runsOf(storage), 'run').state, 'open');
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    assert.equal(await end(storage, run.id), true);
  },

  'goes on by itself where its one-off gets another time': async ({ storage, clock }) => {
    for (const deadlineInMs of [undefined, hour]) {
      const run = await openOneOff(storage, { ...(deadlineInMs && { deadlineInMs }) });
      await storage.pauseJob(ref('job'), { reason: null, by: null });
      await storage.updateJob(ref('job'), { nextAt: (await storage.now()) + day });
      assert.equal((await jobOf(storage)).state, 'paused');
      const [stored] = (await storage.queryRuns({ runId: run.id }, {})).items;
      assert.deepEqual([stored.state, stored.dueAt === null], ['open', deadlineInMs === undefined]);
      if (deadlineInMs === undefined)
        assert.equal(await end(storage, run.id, { outcome: 'failed', retryInMs: 0 }), true);
      else {
        await clock.advance(2 * hour);
        const worker = await startWorker(storage);
        const late = await claimOne(storage, worker);
        await storage.giveBack([holdOf(late)]);
        await settle(storage, await claimOne(storage, worker), { outcome: 'timed_out', retryInMs: 0 });
      }
      const row = only(await finalsOf(storage, run.id), 'verdict');
      assert.equal(row.outcome, deadlineInMs === undefined ? 'failed' : 'timed_out');
      assert.equal(only(await runsOf(storage), 'run').state, 'paused');
      await storage.deleteJob(ref('job'));
    }
  },

  'is not run now, as it goes on': async ({ storage }) => {
    const run = await openOneOff(storage);
    const asked = await storage.runNow(ref('job'));
    assert.deepEqual([asked!.id, asked!.state], [run.id, 'open']);
    assert.equal(await end(storage, run.id), true);
  },

  'stays open through a change of its job, whose retries are as that is then': async ({ storage }) => {
    for (const open of openers) {
      const run = await open(storage, { deadlineInMs: hour });
      await storage.updateJob(ref('job'), { payload: 'new' });
      assert.equal(only(await runsOf(storage), 'run').state, 'open');
      await end(storage, run.id, { outcome: 'failed', retryInMs: -second });
      const again = await claimOne(storage, await startWorker(storage));
      assert.equal(again.payload, 'new');
      await settle(storage, again);
      await storage.deleteJob(ref('job'));
    }
  },

  'has in its verdict the handler and the queue that have left it open': async ({ storage, clock }) => {
    for (const open of openers) {
      for (const by of ['call', 'deadline'] as const) {
        const run = await open(storage, { deadlineInMs: second });
        await storage.updateJob(ref('job'), { handler: 'other', queue: 'slow' });
        if (by === 'call') await end(storage, run.id);
        else {
          await clock.advance(2 * second);
          const other = await startWorker(storage, { handlers: ['other'], queues: ['slow'] });
          await settle(storage, await claimOne(storage, other), { outcome: 'timed_out' });
        }
        const row = only(await finalsOf(storage, run.id), 'verdict');
        assert.deepEqual([row.handler, row.queue], ['work', 'default']);
        await storage.deleteJob(ref('job'));
      }
    }
  },

  'is there for as long as it is open, whatever is forgotten': async ({ storage, clock }) => {
    for (const open of openers) {
      const run = await open(storage);
      await clock.advance(100 * day);
      await pruneAll(storage, {}, 30 * day);
      assert.deepEqual(await attemptsOf(storage, { runId: run.id }), []);
      assert.equal(await end(storage, run.id), true);
      assert.equal(only(await finalsOf(storage, run.id), 'verdict').outcome, 'succeeded');
      await storage.deleteJob(ref('job'));
    }
  },

  'keeps no record where its one-off says so': async ({ storage }) => {
    const run = await openOneOff(storage, { policies: { keepMs: 'none' } });
    assert.equal(await end(storage, run.id), true);
    assert.deepEqual(await attemptsOf(storage), []);
    assert.equal(await storage.getJob(ref('job')), null);
  },

  'nothing else is open: what waits, runs, is blocked or has ended': async ({ storage }) => {
    await addOneOff(storage, { dueInMs: hour });
    const [waiting] = await runsOf(storage);
    await addOneOff(storage, { id: 'other' });
    const running = await claimOne(storage, await startWorker(storage));
    for (const id of [waiting.id, running.id, '987654321', 'none'])
      assert.equal(await storage.settleOpen(id, () => assert.fail('There is nothing to judge.')), false);
    await settle(storage, running);
    assert.equal(await end(storage, running.id), false);
  },
});
