import assert from 'node:assert/strict';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  attemptsOf,
  claimOne,
  fireDue,
  jobOf,
  only,
  runsOf,
  settle,
  startWorker,
  holdOf,
} from './fixture.js';

export const giveBackLaws = lawsOf('give back', {
  'makes an unstarted run due again, with a higher fence and the attempt of before': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await storage.giveBack([holdOf(run)]);
    const stored = only(await runsOf(storage), 'run');
    assert.equal(stored.state, 'waiting');
    assert.equal(stored.worker, null);
    assert.equal(stored.attempt, 0);
    assert.ok(stored.fence > run.fence);
    assert.equal((await jobOf(storage)).state, 'pending');
    const again = await claimOne(storage, await startWorker(storage));
    assert.equal(again.id, run.id);
    assert.equal(again.attempt, 1);
    assert.deepEqual(await storage.settle([]), { accepted: [], locked: [] });
    assert.deepEqual((await storage.queryAttempts({}, {})).items, []);
  },

  'puts off what is given back with a delay, but does not bring it forward': async ({ storage, clock }) => {
    await addOneOff(storage, { id: 'now' });
    await addOneOff(storage, { id: 'ahead', dueInMs: 800 });
    const worker = await startWorker(storage);
    const { runs } = await storage.claim(worker, 10, 1_000);
    assert.equal(runs.length, 2);
    await storage.giveBack(
      runs.map((run) => ({ ...holdOf(run), delayMs: run.jobId === 'now' ? 5_000 : 10 })),
    );
    const idsAt = async (aheadMs: number): Promise<string[]> => {
      const claimed = (await storage.claim(worker, 10, aheadMs)).runs;
      await storage.giveBack(claimed.map(holdOf));
      return claimed.map(({ jobId }) => jobId);
    };
    assert.deepEqual(await idsAt(700), []);
    assert.deepEqual(await idsAt(800), ['ahead']);
    assert.deepEqual(await idsAt(4_999), ['ahead']);
    await clock.advance(5_000);
    assert.deepEqual((await idsAt(0)).toSorted(), ['ahead', 'now']);
    const { items } = await storage.queryRuns({}, {});
    assert.equal(items.find((run) => run.jobId === 'now')?.attempt, 0);
  },

  'ends what must not run twice as lost, also where no attempt was begun': async ({ storage }) => {
    const policies = { recovery: 'abandon' as const, onFailure: { handler: 'called' } };
    await addOneOff(storage, { id: 'once', policies });
    await addRecurring(storage, { id: 'often', policies });
    const worker = await startWorker(storage);
    const runs = [...(await fireDue(storage, worker)).runs, await claimOne(storage, worker)];
    const { lost: ended } = await storage.giveBack(runs.map(holdOf));
    // Said twice, as the first answer was lost, it has nothing to tell.
    if (ended.length > 0) assert.deepEqual(ended.map(({ id }) => id).sort(), ['often', 'once']);
    assert.deepEqual((await storage.claim(await startWorker(storage), 10)).runs, []);
    assert.deepEqual(await storage.heldBy(worker.workerId), []);
    for (const { id, jobId, fence } of runs) {
      const { outcome, final, startedAt, attempt, error } = only(
        await attemptsOf(storage, { runId: id }),
        'ledger row',
      );
      assert.deepEqual([outcome, final, startedAt, attempt], ['lost', true, null, 0]);
      assert.match(error!, /before it began/);
      const { lastVerdict, consecutiveFailures, runCount } = await jobOf(storage, jobId);
      assert.deepEqual([lastVerdict, consecutiveFailures, runCount], ['lost', 1, 0]);
      const letter = only(await runsOf(storage, jobId), 'dead letter');
      assert.deepEqual([letter.state, letter.fence > fence], ['lost', true]);
      const called = only(await runsOf(storage, `${jobId}:onFailure:${id}`), 'callback');
      assert.deepEqual([called.origin, called.handler], ['callback', 'called']);
    }
    assert.deepEqual(await storage.giveBack(runs.map(holdOf)), { lost: [], left: [] });
  },

  'ends what must not run twice as cancelled where that was asked for': async ({ storage }) => {
    await addOneOff(storage, { policies: { recovery: 'abandon' } });
    const run = await claimOne(storage, await startWorker(storage));
    await storage.cancelRun(run.id);
    assert.deepEqual(await storage.giveBack([holdOf(run)]), { lost: [], left: [] });
    assert.equal(only(await attemptsOf(storage), 'ledger row').outcome, 'cancelled');
  },

  'passes over a stale fence': async ({ storage }) => {
    await addOneOff(storage);
    const worker = await startWorker(storage);
    const run = await claimOne(storage, worker);
    await storage.giveBack([holdOf(run)]);
    const again = await claimOne(storage, worker);
    await storage.giveBack([holdOf(run)]);
    assert.deepEqual(await storage.heldBy(worker.workerId), [holdOf(again)]);
  },

  'finds what was claimed by a call whose answer was lost': async ({ storage }) => {
    for (const id of ['a', 'b', 'c']) await addOneOff(storage, { id });
    const worker = await startWorker(storage);
    assert.deepEqual(await storage.heldBy(worker.workerId), []);
    const known = only((await storage.claim(worker, 1)).runs, 'run');
    await storage.claim(worker, 10); // The answer is lost.
    const held = await storage.heldBy(worker.workerId);
    assert.equal(held.length, 3);
    await storage.giveBack(held.filter(({ runId }) => runId !== known.id));
    assert.deepEqual(await storage.heldBy(worker.workerId), [holdOf(known)]);
    assert.equal((await storage.claim(await startWorker(storage), 10)).runs.length, 2);
  },

  'counts fired runs among those held': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    const run = only((await fireDue(storage, worker)).runs, 'run');
    assert.deepEqual(await storage.heldBy(worker.workerId), [holdOf(run)]);
    await settle(storage, run);
    assert.deepEqual(await storage.heldBy(worker.workerId), []);
  },
});
