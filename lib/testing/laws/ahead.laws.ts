import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  firingOf,
  holdOf,
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
import { listen } from './signal.fixture.js';

/** What is fired and claimed before it is due. */
export const aheadLaws = lawsOf('ahead', {
  'gives birth to claimed runs as far ahead as asked, with their time as the start': async ({ storage }) => {
    const [due, later] = [
      await addRecurring(storage, { id: 'due', dueInMs: 10 * second }),
      await addRecurring(storage, { id: 'later', dueInMs: minute }),
    ];
    const worker = await startWorker(storage);
    const { cursors } = await storage.dueCursors(worker, 10, 2 * minute);
    const firings = cursors.map((cursor) => firingOf(cursor));
    const { runs, unclaimed } = await storage.fire(worker, firings, 10, 20 * second);
    assert.equal(unclaimed, 1);
    const run = only(runs, 'run born claimed');
    assert.equal(run.dueAt, due.nextRunAt!.getTime());
    const claimed = only(await runsOf(storage, 'due'), 'run');
    assert.deepEqual([claimed.state, claimed.startedAt], ['running', due.nextRunAt]);
    const waiting = only(await runsOf(storage, 'later'), 'run');
    assert.deepEqual([waiting.state, waiting.dueAt], ['waiting', later.nextRunAt]);
  },

  'claims as far ahead as asked': async ({ storage }) => {
    const { nextRunAt } = await addOneOff(storage, { dueInMs: 10 * second });
    const worker = await startWorker(storage);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.deepEqual((await storage.claim(worker, 10, 5 * second)).runs, []);
    const run = only((await storage.claim(worker, 10, 20 * second)).runs, 'claimed run');
    assert.equal(run.dueAt, nextRunAt!.getTime());
    assert.deepEqual(only(await runsOf(storage), 'run').startedAt, nextRunAt);
    await settle(storage, run);
  },

  'does not claim ahead what must not run twice': async ({ storage, clock }) => {
    const policies = { recovery: 'abandon' as const };
    await addOneOff(storage, { id: 'once', dueInMs: minute / 2, policies });
    await addRecurring(storage, { id: 'often', policies });
    const worker = await startWorker(storage, { leaseMs: 5 * minute });
    await fireWith(storage, worker, minute / 2);
    await addOneOff(storage, { id: 'again', dueInMs: minute / 2 });
    const { runs } = await storage.claim(worker, 10, minute);
    assert.deepEqual(
      runs.map(({ jobId }) => jobId),
      ['again'],
    );
    await clock.advance(minute);
    assert.equal((await storage.claim(worker, 10)).runs.length, 2);
  },

  'hands out what must not run twice to who knows that its time has come, though the clock is behind':
    async ({ storage }) => {
      const policies = { recovery: 'abandon' as const };
      await addOneOff(storage, { id: 'once', dueInMs: hour, policies });
      await addOneOff(storage, { id: 'later', dueInMs: hour + minute, policies });
      await addRecurring(storage, { id: 'often', dueInMs: hour, policies });
      await addRecurring(storage, { id: 'seldom', dueInMs: hour + minute, policies });
      const worker = await startWorker(storage, { leaseMs: 5 * minute });
      const reached = (await storage.now()) + hour + second;
      const aheadMs = hour + 2 * minute;
      const { cursors } = await storage.dueCursors(worker, 10, aheadMs);
      const firings = cursors.map((cursor) => firingOf(cursor));
      const fired = await storage.fire(worker, firings, 10, aheadMs, reached);
      assert.equal(fired.unclaimed, 1);
      const run = only(fired.runs, 'run born claimed');
      assert.equal(run.jobId, 'often');
      assert.deepEqual((await storage.claim(worker, 10, aheadMs)).runs, []);
      const claimed = only((await storage.claim(worker, 10, aheadMs, reached)).runs, 'claimed run');
      assert.equal(claimed.jobId, 'once');
      const other = await startWorker(storage, { leaseMs: 5 * minute });
      assert.deepEqual((await storage.claim(other, 10, aheadMs, reached)).runs, [], 'Nobody else gets it.');
      await settle(storage, claimed);
      assert.equal(only(await attemptsOf(storage, { jobId: 'once' }), 'attempt').outcome, 'succeeded');
    },

  'makes what is given back due at its time': async ({ storage, clock }) => {
    const run = await fireAhead(storage, await startWorker(storage, { leaseMs: 5 * minute }));
    await storage.giveBack([holdOf(run)]);
    const stored = only(await runsOf(storage), 'run');
    assert.deepEqual([stored.state, stored.dueAt?.getTime()], ['waiting', run.nominalAt]);
    const worker = await startWorker(storage, { leaseMs: 5 * minute });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(minute);
    assert.equal((await claimOne(storage, worker)).id, run.id);
  },

  'makes what a dead worker was to begin due at its time': async ({ storage, clock }) => {
    const run = await fireAhead(storage, await startWorker(storage, { leaseMs: second }));
    await clock.advance(2 * second);
    assert.equal((await storage.releaseLost()).runs.length, 1);
    const worker = await startWorker(storage, { leaseMs: 5 * minute });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    await clock.advance(minute);
    assert.equal((await claimOne(storage, worker)).id, run.id);
    const { startedAt, finishedAt } = only(await attemptsOf(storage), 'attempt');
    assert.ok(finishedAt >= startedAt!, 'It ended after its start.');
  },

  'holds what is given back after a pause, and ends it after a cancel or a deletion': async ({ storage }) => {
    const worker = await startWorker(storage);
    const changes = {
      pause: () => storage.pauseJob(ref('pause'), { reason: null, by: null }),
      cancel: () => storage.cancelJob(ref('cancel')),
      delete: () => storage.deleteJob(ref('delete')),
    };
    for (const [id, change] of Object.entries(changes)) {
      const run = await fireAhead(storage, worker, id);
      await change();
      await storage.giveBack([holdOf(run)]);
    }
    assert.equal(only(await runsOf(storage, 'pause'), 'run').state, 'paused');
    for (const id of ['cancel', 'delete']) {
      assert.equal(only(await attemptsOf(storage, { jobId: id }), 'attempt').outcome, 'cancelled');
    }
  },

  'never gives birth to an instant twice, whatever becomes of the times of its job': async ({ storage }) => {
    const worker = await startWorker(storage);
    const first = await fireAhead(storage, worker);
    await settle(storage, first);
    await storage.updateJob(ref('job'), { nextAt: first.nominalAt });
    const aheadMs = 3 * 60 * minute;
    const next = only((await storage.dueCursors(worker, 10, aheadMs)).cursors, 'cursor');
    assert.ok(next.nominalAt > first.nominalAt);
    const births = [first, next].map(({ nominalAt }) => ({ nominalAt, dueAt: nominalAt, missed: 0 }));
    const { runs } = await storage.fire(worker, [firingOf(next, { births, overlap: 'allow' })], 10, aheadMs);
    assert.equal(only(runs, 'run').nominalAt, next.nominalAt);
  },

  'tells others of what may have to be given back': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    const worker = await startWorker(storage);
    const changes = {
      pause: () => storage.pauseJob(ref('pause'), { reason: null, by: null }),
      delete: () => storage.deleteJob(ref('delete')),
      move: async () =>
        storage.updateJob(ref('move'), { nextAt: (await jobOf(storage, 'move')).nextRunAt!.getTime() }),
    };
    for (const [id, change] of Object.entries(changes)) {
      await fireAhead(storage, worker, id);
      const { next, end } = await listen(other.wakeSignal);
      await change();
      await next((wake) => wake.kind === 'change');
      await end();
    }
  },

  'tells others of one-offs that may have to be given back, and none runs twice or at the wrong time':
    async ({ storage, open, clock }) => {
      const other = await open();
      const worker = await startWorker(storage, { leaseMs: hour });
      const paused = { reason: null, by: null };
      const changes = {
        pause: () => storage.pauseJob(ref('pause'), paused),
        'pause many': () => storage.changeJobs([ref('pause many')], { kind: 'pause', pause: paused }),
        delete: () => storage.deleteJob(ref('delete')),
        'delete many': () => storage.changeJobs([ref('delete many')], { kind: 'delete' }),
        move: async () => storage.updateJob(ref('move'), { nextAt: (await storage.now()) + 2 * minute }),
      };
      for (const [id, change] of Object.entries(changes)) {
        await addOneOff(storage, { id, dueInMs: minute / 2 });
        const run = only((await storage.claim(worker, 10, minute)).runs, 'claimed run');
        const heard = other.wakeSignal ? await listen(other.wakeSignal) : null;
        await change();
        await heard?.next((wake) => wake.kind === 'change');
        await heard?.end();
        await storage.giveBack([holdOf(run)]);
      }
      await clock.advance(minute);
      assert.deepEqual((await storage.claim(worker, 10)).runs, []);
      for (const id of ['pause', 'pause many']) assert.equal((await jobOf(storage, id)).state, 'paused');
      await clock.advance(minute);
      const moved = only((await storage.claim(worker, 10)).runs, 'claimed run');
      assert.equal(moved.jobId, 'move');
      await settle(storage, moved);
      const ended = (await attemptsOf(storage)).map(({ jobId, outcome }) => `${jobId}: ${outcome}`);
      assert.deepEqual(ended.sort(), [
        'delete many: cancelled',
        'delete: cancelled',
        'move: cancelled',
        'move: succeeded',
      ]);
    },

  'tells others of the last run of a schedule that may have to be given back': async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    const worker = await startWorker(storage);
    const changes = {
      pause: () => storage.pauseJob(ref('pause'), { reason: null, by: null }),
      delete: () => storage.deleteJob(ref('delete')),
    };
    for (const [id, change] of Object.entries(changes)) {
      await addRecurring(storage, { id, dueInMs: minute / 2 });
      const cursor = only((await storage.dueCursors(worker, 10, minute)).cursors, 'cursor');
      await storage.fire(worker, [firingOf(cursor, { nextAt: null })], 10, minute);
      const { next, end } = await listen(other.wakeSignal);
      await change();
      await next((wake) => wake.kind === 'change');
      await end();
    }
  },
});

/** Fires what is due, its run due a while later. */
async function fireWith(storage: StorageAdapter, worker: Capability, delayMs: number): Promise<void> {
  const cursor = only((await storage.dueCursors(worker, 10)).cursors, 'due cursor');
  const births = [{ nominalAt: cursor.nominalAt, dueAt: (await storage.now()) + delayMs, missed: 0 }];
  const { unclaimed, runs } = await storage.fire(worker, [firingOf(cursor, { births })], 10, minute);
  assert.deepEqual(
    [unclaimed, runs],
    [1, []],
    'What must not run twice is not born claimed before it is due.',
  );
}

/** Fires a new job half a minute before its instant. */
async function fireAhead(storage: StorageAdapter, worker: Capability, id = 'job'): Promise<ClaimedRun> {
  await addRecurring(storage, { id, dueInMs: minute / 2 });
  const { cursors } = await storage.dueCursors(worker, 10, minute);
  const cursor = only(
    cursors.filter(({ jobId }) => jobId === id),
    'cursor',
  );
  const { runs } = await storage.fire(worker, [firingOf(cursor)], 10, minute);
  return only(runs, 'run born claimed');
}
