import assert from 'node:assert/strict';
import type { ClaimedRun, StorageAdapter } from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addRecurring,
  assertNear,
  attemptsOf,
  claimOne,
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
  settlementOf,
  startWorker,
  holdOf,
  accepts,
} from './fixture.js';

type Worker = Parameters<typeof fireDue>[1];
type Overlap = 'queue' | 'cancel-running';

const queue = { overlap: 'queue' } as const;
const cancelRunning = { overlap: 'cancel-running' } as const;

/** A job whose first run goes on, and whose second instant was fired meanwhile. */
async function withBlocked(
  { storage, clock }: StorageSubject,
  overlap: Overlap,
): Promise<{ worker: Worker; first: ClaimedRun; blockedId: string }> {
  await addRecurring(storage);
  const worker = await startWorker(storage, { leaseMs: 24 * hour });
  const first = await fireOne(storage, worker, { overlap });
  await clock.advance(2 * hour);
  const result = await fireDue(storage, worker, { overlap });
  assert.deepEqual([result.moved.length, result.runs, result.unclaimed, result.skipped], [1, [], 1, []]);
  const blocked = only(
    (await runsOf(storage)).filter((run) => run.id !== first.id),
    'second run',
  );
  assert.deepEqual([blocked.state, blocked.dueAt, blocked.attempt], ['blocked', null, 0]);
  return { worker, first, blockedId: blocked.id };
}

/** Nobody gets the run, and nobody wakes up for it. */
async function assertBlocked(storage: StorageAdapter, worker: Worker): Promise<void> {
  assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  assert.equal((await storage.nextWakeAt(worker)).runAt, null);
}

export const queueLaws = lawsOf('overlap queue', {
  'has an instant wait for the end of the earlier run': async (subject) => {
    const { storage } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'queue');
    await assertBlocked(storage, worker);
    assert.equal((await jobOf(storage)).state, 'running');
    await settle(storage, first);
    const [{ state, dueAt, nominalAt }] = await runsOf(storage);
    assert.deepEqual([state, dueAt], ['waiting', nominalAt]);
    assert.equal((await storage.nextWakeAt(worker)).runAt, nominalAt.getTime());
    const second = await claimOne(storage, worker);
    assert.equal(second.id, blockedId);
    assert.deepEqual([second.attempt, second.nominalAt], [1, nominalAt.getTime()]);
    await settle(storage, second);
    assert.deepEqual(await gapsOf(storage), []);
  },

  'lets go of an instant that waits for two runs which end at the same moment': async (subject) => {
    const { storage, clock } = subject;
    const adapters = [storage, await subject.open()];
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 99 * hour });
    for (let round = 0; round < 20; round++) {
      const fire = async (overlap: 'allow' | 'queue'): Promise<ClaimedRun[]> => {
        await clock.advance(hour);
        return (await fireDue(storage, worker, { overlap })).runs;
      };
      const two = [...(await fire('allow')), ...(await fire('allow'))];
      assert.deepEqual([two.length, await fire('queue')], [2, []]);
      const settlements = await Promise.all(two.map((run) => settlementOf(storage, run)));
      const ends = settlements.map((settlement, i) => accepts(adapters[i]!, [settlement]));
      assert.deepEqual(
        await Promise.all(ends),
        two.map(({ id }) => [id]),
      );
      await settle(storage, await claimOne(storage, worker));
    }
  },

  'is born claimed where nothing goes on': async ({ storage }) => {
    await addRecurring(storage);
    const run = await fireOne(storage, await startWorker(storage), queue);
    await settle(storage, run);
  },

  'skips on record what comes while one waits': async (subject) => {
    const { storage, clock } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'queue');
    await clock.advance(2 * hour);
    const nominalAt = (await jobOf(storage)).nextRunAt!;
    const result = await fireDue(storage, worker, queue);
    assert.equal(only(result.skipped, 'skipped instant').nominalAt, nominalAt.getTime());
    assert.deepEqual([result.runs, result.unclaimed], [[], 0]);
    const { from, until, verdict, count } = only(await gapsOf(storage), 'gap');
    assert.deepEqual(
      { from, until, verdict, count },
      { from: nominalAt, until: nominalAt, verdict: 'skipped', count: 1 },
    );
    await settle(storage, first);
    const second = await claimOne(storage, worker);
    assert.equal(second.id, blockedId);
    await clock.advance(2 * hour);
    const again = await fireDue(storage, worker, queue);
    assert.deepEqual([again.unclaimed, again.skipped], [1, []], 'Nothing waits any more, so one may.');
  },

  'of several births of one firing lets one go, one wait, and skips the rest': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -3 * minute });
    const at = nextRunAt!.getTime();
    const births = [0, 1, 2].map((n) => ({ nominalAt: at + n * minute, dueAt: at + n * minute, missed: 0 }));
    const worker = await startWorker(storage);
    const result = await fireDue(storage, worker, { ...queue, births });
    const first = only(result.runs, 'run');
    assert.equal(first.nominalAt, at);
    assert.equal(result.unclaimed, 1);
    assert.equal(only(result.skipped, 'skipped instant').nominalAt, at + 2 * minute);
    await assertBlocked(storage, worker);
    await settle(storage, first);
    assert.equal((await claimOne(storage, worker)).nominalAt, at + minute);
  },

  'takes a run that waits for a worker or for its retry for one that goes on': async ({ storage, clock }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    await fireDue(storage, worker, { ...queue, room: 0 });
    await clock.advance(2 * hour);
    assert.deepEqual((await fireDue(storage, worker, queue)).runs, []);
    const first = await claimOne(storage, worker);
    await failWithRetry(storage, first, minute);
    await assertNotDue(storage, worker);
    await clock.advance(2 * minute);
    const retry = await claimOne(storage, worker);
    assert.equal(retry.id, first.id);
    await storage.giveBack([holdOf(retry)]);
    const again = await claimOne(storage, worker);
    assert.equal(again.id, first.id);
    await settle(storage, again, { outcome: 'failed', error: 'boom' });
    assert.notEqual((await claimOne(storage, worker)).id, first.id);
  },

  'waits for all that went on when it was born, and for nothing that came later': async (subject) => {
    const { storage, clock } = subject;
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    const first = await fireOne(storage, worker, queue);
    await storage.runNow(ref('job'));
    const second = await claimOne(storage, worker);
    await clock.advance(2 * hour);
    assert.equal((await fireDue(storage, worker, queue)).unclaimed, 1);
    await storage.runNow(ref('job'));
    const later = await claimOne(storage, worker);
    await settle(storage, second);
    await assertBlocked(storage, worker);
    await settle(storage, first);
    const waited = await claimOne(storage, worker);
    assert.equal(waited.origin, 'schedule');
    await settle(storage, later);
    await settle(storage, waited);
    assert.deepEqual(await runsOf(storage), []);
  },

  'is due when the earlier run is cancelled while it waits, or ends by its cancellation': async (subject) => {
    const { storage, clock } = subject;
    for (const ends of ['hand back', 'give back', 'settle'] as const) {
      const { worker, first, blockedId } = await withBlocked(subject, 'queue');
      // The cancel concerns both, so only what is fired after it shows that the end of the first one counts.
      assert.equal(await storage.cancelJob(ref('job')), 2);
      assert.deepEqual(
        (await attemptsOf(storage, { runId: blockedId })).map((row) => row.outcome),
        ['cancelled'],
      );
      await clock.advance(2 * hour);
      assert.equal((await fireDue(storage, worker, queue)).unclaimed, 1);
      await assertBlocked(storage, worker);
      if (ends === 'hand back') await settle(storage, first, { outcome: 'handed_back' });
      if (ends === 'give back') await storage.giveBack([holdOf(first)]);
      if (ends === 'settle') await settle(storage, first, { outcome: 'cancelled' });
      const next = await claimOne(storage, worker);
      assert.notEqual(next.id, first.id);
      await settle(storage, next);
      await storage.deleteJob(ref('job'));
    }
  },

  'is due when the earlier run is lost for good, not when it is to be run again': async ({
    storage,
    clock,
  }) => {
    await addRecurring(storage, { policies: { maxLost: 2 } });
    const mortal = await startWorker(storage, { leaseMs: minute });
    const first = await fireOne(storage, mortal, { ...queue, nextAt: (await storage.now()) + minute });
    await clock.advance(2 * minute);
    const worker = await startWorker(storage, { leaseMs: minute });
    assert.equal((await fireDue(storage, worker, queue)).unclaimed, 1);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, null);
    const again = await claimOne(storage, worker);
    assert.equal(again.id, first.id);
    await assertBlocked(storage, worker);
    await clock.advance(2 * minute);
    assert.equal(only((await storage.releaseLost()).runs, 'released run').verdict, 'lost');
    assert.notEqual((await claimOne(storage, await startWorker(storage))).id, first.id);
  },

  'ends as cancelled with its job': async (subject) => {
    const { storage } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'queue');
    await storage.deleteJob(ref('job'));
    const row = only(await attemptsOf(storage, { runId: blockedId }), 'ledger row');
    assert.deepEqual([row.outcome, row.final, row.startedAt], ['cancelled', true, null]);
    await settle(storage, first);
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    assert.deepEqual(await runsOf(storage), []);
  },

  'is held by a pause, whether the earlier run ends before or after the resume': async (subject) => {
    const { storage } = subject;
    for (const ends of ['before', 'after'] as const) {
      const { worker, first, blockedId } = await withBlocked(subject, 'queue');
      await storage.pauseJob(ref('job'), { reason: null, by: null });
      assert.equal((await runsOf(storage)).find((run) => run.id === blockedId)?.state, 'paused');
      if (ends === 'before') await settle(storage, first);
      await assertBlocked(storage, worker);
      const nextAt = (await storage.now()) + hour;
      await storage.resumeJob(ref('job'), () => ({ nextAt, gap: null }));
      if (ends === 'after') {
        assert.equal((await runsOf(storage)).find((run) => run.id === blockedId)?.state, 'blocked');
        await assertBlocked(storage, worker);
        await settle(storage, first);
      }
      const second = await claimOne(storage, worker);
      assert.equal(second.id, blockedId);
      await settle(storage, second);
      await storage.deleteJob(ref('job'));
    }
  },

  'is due whichever of a fire and the end of the earlier run comes first': async ({ storage, open }) => {
    const adapters = [storage, await open()];
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    for (let round = 0; round < 10; round++) {
      await addRecurring(storage, { dueInMs: -2 * minute });
      const first = await fireOne(storage, worker, { ...queue, nextAt: (await storage.now()) - minute });
      const settlement = await settlementOf(storage, first);
      const [fired, settled] = await Promise.all([
        fireDue(adapters[round % 2], worker, queue),
        accepts(adapters[(round + 1) % 2], [settlement]),
      ]);
      assert.deepEqual(settled, [first.id]);
      const missedTurn = fired.moved.length === 0 ? await fireDue(storage, worker, queue) : fired;
      const second = missedTurn.runs[0] ?? (await claimOne(storage, worker));
      assert.notEqual(second.id, first.id);
      await settle(storage, second);
      await storage.deleteJob(ref('job'));
    }
  },

  'is born once by eight concurrent firers': async (subject) => {
    const { storage, clock, open } = subject;
    await addRecurring(storage);
    const worker = await startWorker(storage, { leaseMs: 24 * hour });
    const first = await fireOne(storage, worker, queue);
    await clock.advance(2 * hour);
    const adapters = [storage, await open()];
    const nextAt = (await storage.now()) + hour;
    const fired = await eightAtOnce(adapters, (adapter) => fireDue(adapter, worker, { ...queue, nextAt }));
    assert.equal(fired.flatMap(({ moved }) => moved).length, 1);
    assert.equal((await runsOf(storage)).length, 2);
    await settle(storage, first);
    await claimOne(storage, worker);
  },
});

export const cancelRunningLaws = lawsOf('overlap cancel-running', {
  'asks for the cancellation of what goes on, and waits until it has ended': async (subject) => {
    const { storage } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'cancel-running');
    assert.deepEqual((await storage.renew(worker.workerId, hour, 1)).cancelled, [first.id]);
    await assertBlocked(storage, worker);
    await settle(storage, first, { outcome: 'cancelled' });
    const second = await claimOne(storage, worker);
    assert.equal(second.id, blockedId);
    assert.deepEqual((await storage.renew(worker.workerId, hour, 1)).cancelled, []);
    await settle(storage, second);
    assert.deepEqual(await gapsOf(storage), []);
  },

  'cancels what waits, for a worker or for its retry, and goes on at once': async ({ storage, clock }) => {
    for (const retries of [false, true]) {
      await addRecurring(storage);
      const worker = await startWorker(storage, { leaseMs: 24 * hour });
      const before = await fireDue(storage, worker, { ...cancelRunning, room: retries ? 1 : 0 });
      if (retries) await failWithRetry(storage, before.runs[0], 9 * hour);
      const [{ id }] = await runsOf(storage);
      await clock.advance(2 * hour);
      const result = await fireDue(storage, worker, cancelRunning);
      assert.equal(result.runs.length + result.unclaimed, 1);
      const next = result.runs[0] ?? (await claimOne(storage, worker));
      assert.notEqual(next.id, id);
      assert.equal((await attemptsOf(storage, { runId: id, finalOnly: true }))[0]?.outcome, 'cancelled');
      await settle(storage, next);
      await storage.deleteJob(ref('job'));
    }
  },

  'cancels one that still waits for the end of the run before': async (subject) => {
    const { storage, clock } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'cancel-running');
    await clock.advance(2 * hour);
    assert.equal((await fireDue(storage, worker, cancelRunning)).unclaimed, 1);
    const row = only(await attemptsOf(storage, { runId: blockedId }), 'ledger row');
    assert.deepEqual([row.outcome, row.final], ['cancelled', true]);
    assertNear(row.finishedAt, await storage.now(), 'The end of what was replaced');
    await assertBlocked(storage, worker);
    await settle(storage, first, { outcome: 'cancelled' });
    const third = await claimOne(storage, worker);
    assert.ok(![first.id, blockedId].includes(third.id));
  },

  'of several births of one firing lets the last one go and skips the others': async ({ storage }) => {
    const { nextRunAt } = await addRecurring(storage, { dueInMs: -3 * minute });
    const at = nextRunAt!.getTime();
    const births = [0, 1, 2].map((n) => ({ nominalAt: at + n * minute, dueAt: at + n * minute, missed: 0 }));
    const result = await fireDue(storage, await startWorker(storage), { ...cancelRunning, births });
    assert.equal(only(result.runs, 'run').nominalAt, at + 2 * minute);
    assert.deepEqual(
      result.skipped.map(({ nominalAt }) => nominalAt),
      [at, at + minute],
    );
  },

  'gives what was cancelled no retry': async (subject) => {
    const { storage } = subject;
    const { worker, first, blockedId } = await withBlocked(subject, 'cancel-running');
    await failWithRetry(storage, first);
    assert.equal((await claimOne(storage, worker)).id, blockedId);
  },
});

/** Only the run that waits for its retry has a time. */
async function assertNotDue(storage: StorageAdapter, worker: Worker): Promise<void> {
  assert.deepEqual((await storage.claim(worker, 10)).runs, []);
  assertNear(
    (await storage.nextWakeAt(worker)).runAt,
    (await storage.now()) + minute,
    'The time of the retry',
  );
}
