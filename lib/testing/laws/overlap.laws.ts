import assert from 'node:assert/strict';
import type { ClaimedRun, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
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
  second,
  settle,
  startWorker,
} from './fixture.js';
import { changeStored, declared, insertDeclared } from './sync.fixture.js';

/** Asserts that the due instant of the job was skipped, and recorded where it was due. */
async function assertSkipped(storage: StorageAdapter, worker: Parameters<typeof fireDue>[1]): Promise<void> {
  const nominalAt = (await jobOf(storage)).nextRunAt!;
  const runsBefore = (await runsOf(storage)).length;
  const gapsBefore = (await gapsOf(storage)).length;
  const result = await fireDue(storage, worker);
  assert.equal(only(result.skipped, 'skipped instant').nominalAt, nominalAt.getTime());
  assert.equal(result.moved.length, 1);
  assert.deepEqual([result.runs, result.unclaimed], [[], 0]);
  assert.equal((await runsOf(storage)).length, runsBefore);
  const gaps = await gapsOf(storage);
  assert.equal(gaps.length, gapsBefore + 1);
  const { from, until, verdict, count } = gaps[0];
  assert.deepEqual(
    { from, until, verdict, count },
    { from: nominalAt, until: nominalAt, verdict: 'skipped', count: 1 },
  );
}

export const overlapLaws = lawsOf('overlap', {
  'skips an instant while the previous run goes on, and records it': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    const run = await fireOne(storage, worker);
    await clock.advance(2 * hour);
    await assertSkipped(storage, worker);
    await settle(storage, run);
    await clock.advance(2 * hour);
    await fireOne(storage, worker);
  },

  'skips while a run waits for a worker, for its retry, or is held': async ({ storage, clock }) => {
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    await addRecurring(storage);
    await fireDue(storage, worker, { room: 0 });
    await clock.advance(2 * hour);
    await assertSkipped(storage, worker);
    await failWithRetry(storage, await claimOne(storage, worker), 9 * hour);
    await clock.advance(2 * hour);
    await assertSkipped(storage, worker);
    await storage.cancelJob(ref('job'));
    await clock.advance(2 * hour);
    await fireOne(storage, worker);
  },

  'skips the later births of one firing': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -2 * minute });
    const first = nextRunAt!.getTime();
    const births = [first, first + minute].map((nominalAt) => ({ nominalAt, dueAt: nominalAt, missed: 0 }));
    const result = await fireDue(storage, await startWorker(storage), { births });
    assert.equal(only(result.runs, 'run').nominalAt, first);
    assert.equal(only(result.skipped, 'skipped instant').nominalAt, first + minute);
  },

  'lets runs overlap where the job allows it': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    const runs: ClaimedRun[] = [];
    for (let round = 0; round < 3; round++) {
      runs.push(await fireOne(storage, worker, { overlap: 'allow' }));
      await clock.advance(2 * hour);
    }
    assert.equal(new Set(runs.map((run) => run.id)).size, 3);
    assert.deepEqual(await gapsOf(storage), []);
    for (const run of runs.reverse()) await settle(storage, run);
    assert.equal((await jobOf(storage)).runCount, 3);
  },

  'does nothing while a run goes on where the firing is to wait': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    const run = await fireOne(storage, worker);
    await clock.advance(2 * hour);
    const { nextRunAt } = await jobOf(storage);
    const gap = { from: 0, until: 0, verdict: 'missed', count: 1, reason: 'test' } as const;
    const waiting = await fireDue(storage, worker, { overlap: 'wait', gaps: [gap] });
    assert.deepEqual([waiting.moved, waiting.runs, waiting.skipped], [[], [], []]);
    assert.deepEqual((await jobOf(storage)).nextRunAt, nextRunAt);
    assert.deepEqual(await gapsOf(storage), []);
    await settle(storage, run);
    const next = await fireOne(storage, worker, { overlap: 'wait' });
    assert.equal(next.nominalAt, nextRunAt!.getTime());
  },

  'does not take runs of other jobs for an overlap': async ({ storage }) => {
    await addOneOff(storage, { id: 'other-one-off' });
    await addRecurring(storage, { id: 'other' });
    const worker = await startWorker(storage);
    await fireDue(storage, worker);
    await addRecurring(storage);
    assert.deepEqual((await fireDue(storage, worker)).skipped, []);
  },
});

export const fixedDelayLaws = lawsOf('fixed delay', {
  'moves the cursor from infinity to the end of the run plus the delay': async ({ storage, clock }) => {
    const trigger = { type: 'interval', every: 10 * minute, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const worker = await startWorker(storage, { leaseMs: 9 * hour });
    const run = await fireOne(storage, worker, { nextAt: Infinity });
    assert.equal((await jobOf(storage)).nextRunAt, null);
    assert.equal((await jobOf(storage)).state, 'running');
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
    await clock.advance(hour);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    await failWithRetry(storage, run);
    assert.equal((await jobOf(storage)).nextRunAt, null, 'A retry is no end.');
    await settle(storage, await claimOne(storage, worker));
    const expected = (await storage.now()) + 10 * minute;
    assertNear((await jobOf(storage)).nextRunAt, expected, 'The next time');
    assertNear((await storage.nextWakeAt(worker)).cursorAt, expected, 'The time to wake');
    await clock.advance(11 * minute);
    await fireOne(storage, worker, { nextAt: Infinity });
  },

  'moves it also when the run is cancelled or lost': async ({ storage, clock }) => {
    const trigger = { type: 'interval', every: 10 * minute, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger, policies: { recovery: 'abandon' } });
    const worker = await startWorker(storage, { leaseMs: minute });
    await fireDue(storage, worker, { nextAt: Infinity, room: 0 });
    await storage.cancelJob(ref('job'));
    assertNear((await jobOf(storage)).nextRunAt, (await storage.now()) + 10 * minute, 'After a cancel');
    await clock.advance(11 * minute);
    await fireOne(storage, await startWorker(storage, { leaseMs: minute }), { nextAt: Infinity });
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assertNear((await jobOf(storage)).nextRunAt, (await storage.now()) + 10 * minute, 'After a loss');
  },

  'leaves a paused job without a time': async ({ storage }) => {
    const trigger = { type: 'interval', every: 10 * minute, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker, { nextAt: Infinity });
    await storage.pauseJob(ref('job'), { reason: null, by: null });
    await settle(storage, run);
    assert.equal((await jobOf(storage)).nextRunAt, null);
    const nextAt = (await storage.now()) + minute;
    await storage.resumeJob(ref('job'), ({ pausedFrom }) => {
      assert.equal(pausedFrom, null, 'It waited for the end of a run: no instant was missed.');
      return { nextAt, gap: null };
    });
    assert.deepEqual((await jobOf(storage)).nextRunAt, new Date(nextAt));
    assert.deepEqual(await gapsOf(storage), []);
  },

  'brings no job back that was deleted during the run': async ({ storage, clock }) => {
    const trigger = { type: 'interval', every: second, mode: 'fixed-delay' } as const;
    await addRecurring(storage, { trigger });
    const worker = await startWorker(storage, { leaseMs: hour });
    const run = await fireOne(storage, worker, { nextAt: Infinity });
    await storage.deleteJob(ref('job'));
    await settle(storage, run);
    await clock.advance(minute);
    assert.deepEqual((await storage.dueCursors(worker, 10)).cursors, []);
    assert.equal((await storage.nextWakeAt(worker)).cursorAt, null);
  },

  'leaves the cursor of any other schedule alone when a run ends': async ({ storage }) => {
    await addRecurring(storage, { trigger: { type: 'interval', every: 10 * minute } });
    const run = await fireOne(storage, await startWorker(storage));
    const { nextRunAt } = await jobOf(storage);
    await settle(storage, run);
    assert.deepEqual((await jobOf(storage)).nextRunAt, nextRunAt);
  },

  'comes back to life when an orphan that ran is adopted': async ({ storage }) => {
    const trigger = { type: 'interval', every: 10 * minute, mode: 'fixed-delay' } as const;
    await insertDeclared(storage, [await declared(storage, { trigger })]);
    const run = await fireOne(storage, await startWorker(storage), { nextAt: Infinity });
    await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
    await settle(storage, run);
    await changeStored(storage, (uid) => ({ kind: 'adopt', uid }));
    assert.notEqual((await jobOf(storage)).nextRunAt, null);
  },
});
