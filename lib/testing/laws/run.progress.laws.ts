import assert from 'node:assert/strict';
import type { ClaimedRun, NewRunProgress, RunProgress, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  hour,
  pruneAll,
  second,
  settle,
  startWorker,
  type Held,
} from './fixture.js';

/** How far an attempt says it is. */
async function report(
  storage: StorageAdapter,
  { id: runId, fence, worker, attempt = 1 }: Held & { attempt?: number },
  fraction: number,
  details: NewRunProgress['details'] = null,
): Promise<NewRunProgress> {
  return { runId, fence, worker, attempt, at: await storage.now(), fraction, details };
}

async function begun(storage: StorageAdapter, id = 'job', policies = {}): Promise<ClaimedRun> {
  await addOneOff(storage, { id, policies });
  return claimOne(storage, await startWorker(storage));
}

/** As it is told with the run. */
async function toldOf(storage: StorageAdapter, { id: runId }: { id: string }): Promise<RunProgress | null> {
  const { items } = await storage.queryRuns({ runId }, {});
  return items[0]?.progress ?? null;
}

/** Of storages that keep how far runs are; the others are in order. */
export const runProgressLaws = lawsOf('progress of runs', {
  'is told with the run as it was reported, the last of it': async ({ storage }) => {
    if (storage.runProgress === undefined) return;
    const [run, other, silent] = [
      await begun(storage, 'a'),
      await begun(storage, 'b'),
      await begun(storage, 'c'),
    ];
    const details = { rows: 1.5, of: ['x', null], 'a "b"\n☃': true };
    const first = await report(storage, run, 0.25, details);
    const beside = await report(storage, other, 1);
    assert.deepEqual(
      (await storage.runProgress.report([first, beside])).toSorted(),
      [run.id, other.id].toSorted(),
    );
    const at = new Date(first.at);
    assert.deepEqual(await toldOf(storage, run), { fraction: 0.25, details, attempt: 1, at });
    assert.equal((await toldOf(storage, other))?.fraction, 1);
    assert.equal(await toldOf(storage, silent), null);
    await storage.runProgress.report([await report(storage, run, 0.125)]);
    const { fraction, details: none } = (await toldOf(storage, run))!;
    assert.deepEqual([fraction, none], [0.125, null]);
  },

  'is taken neither from who has lost the run, nor from who never had it': async ({ storage }) => {
    if (storage.runProgress === undefined) return;
    await addOneOff(storage);
    const dying = await startWorker(storage, { leaseMs: second });
    const lost = await claimOne(storage, dying);
    await storage.unregister(dying.workerId);
    await storage.releaseLost();
    assert.deepEqual(await storage.runProgress.report([await report(storage, lost, 0.9)]), []);
    assert.equal(await toldOf(storage, lost), null);
    const mine = await claimOne(storage, await startWorker(storage));
    const strangers = [
      { ...mine, fence: mine.fence + 1 },
      { ...mine, worker: 'somebody' },
      { ...mine, fence: lost.fence, worker: lost.worker },
    ];
    for (const stranger of strangers) {
      const both = [await report(storage, stranger, 0.9), await report(storage, mine, 0.5)];
      assert.deepEqual(await storage.runProgress.report(both), [mine.id]);
      assert.equal((await toldOf(storage, mine))?.fraction, 0.5);
    }
  },

  'stays as the last attempt has left it until the next one reports, and takes nothing of the earlier one then':
    async ({ storage }) => {
      if (storage.runProgress === undefined) return;
      const first = await begun(storage);
      await settle(storage, first, { outcome: 'failed', error: 'boom', retryInMs: -second });
      // What it told last comes after its end.
      assert.deepEqual(await storage.runProgress.report([await report(storage, first, 0.75)]), [first.id]);
      const again = await claimOne(storage, await startWorker(storage));
      const left = (await toldOf(storage, again))!;
      assert.deepEqual([left.fraction, left.attempt], [0.75, 1]);
      assert.deepEqual(await storage.runProgress.report([await report(storage, first, 0.8)]), []);
      await storage.runProgress.report([await report(storage, { ...again, attempt: 2 }, 0.1)]);
      const now = (await toldOf(storage, again))!;
      assert.deepEqual([now.fraction, now.attempt], [0.1, 2]);
    },

  'goes with its run, and not before': async ({ storage }) => {
    if (storage.runProgress === undefined) return;
    await addRecurring(storage);
    const over = await fireOne(storage, await startWorker(storage));
    const failed = await begun(storage, 'failed', { keepMs: hour });
    await storage.runProgress.report([await report(storage, over, 0.5), await report(storage, failed, 0.4)]);
    await settle(storage, over);
    await settle(storage, failed, { outcome: 'failed', error: 'boom' });
    await pruneAll(storage, {}, hour);
    assert.deepEqual(await storage.runProgress.report([await report(storage, over, 0.6)]), []);
    assert.equal((await toldOf(storage, failed))?.fraction, 0.4);
  },
});
