import assert from 'node:assert/strict';
import type { CancelledRun, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  attemptsOf,
  claimOne,
  holdOf,
  hour,
  minute,
  recurring,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';

/** Runs that an adapter tells of as cancelled, from now on. */
function toldBy(storage: StorageAdapter): CancelledRun[] {
  const told: CancelledRun[] = [];
  storage.runEnds?.onRunEnd((end) => void ('cancelled' in end && told.push(end.cancelled)));
  return told;
}

/** One-offs of which nobody executes the run: one that has not begun, and one that waits for each of these. */
async function addWaiting(storage: StorageAdapter): Promise<string[]> {
  const worker = await startWorker(storage, { leaseMs: 9 * hour });
  for (const outcome of ['failed', 'snoozed', 'opened'] as const) {
    await addOneOff(storage, { id: outcome });
    await settle(storage, await claimOne(storage, worker), { outcome, retryInMs: hour });
  }
  await addOneOff(storage, { id: 'unbegun', dueInMs: hour });
  return ['failed', 'opened', 'snoozed', 'unbegun'];
}

const calls: Record<string, (storage: StorageAdapter, ids: string[]) => Promise<unknown>> = {
  cancelRun: async (storage, ids) => {
    for (const id of ids) await storage.cancelRun((await runsOf(storage, id))[0]!.id);
  },
  cancelJob: async (storage, ids) => {
    for (const id of ids) await storage.cancelJob(ref(id));
  },
  deleteJob: async (storage, ids) => {
    for (const id of ids) await storage.deleteJob(ref(id));
  },
  'a cancel of many': (storage, ids) => storage.changeJobs(ids.map(ref), { kind: 'cancel' }),
  'a deletion of many': (storage, ids) => storage.changeJobs(ids.map(ref), { kind: 'delete' }),
  'a replacement by a job that recurs': async (storage, ids) => {
    for (const id of ids) {
      // What is open goes on beside the job that takes its place.
      if (id === 'opened') await storage.cancelJob(ref(id));
      await storage.insertJobs([await recurring(storage, { id, dueInMs: 2 * hour })], 'replace');
    }
  },
};

export const runEndLaws = lawsOf('runs that end as cancelled while nobody executes them', {
  ...Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [
      `are told once, by the adapter that was asked, as the ledger has them: by ${name}`,
      async ({ storage, open }: { storage: StorageAdapter; open: () => Promise<StorageAdapter> }) => {
        if (storage.runEnds === undefined) return;
        const other = toldBy(await open());
        const ids = await addWaiting(storage);
        const told = toldBy(storage);
        await call(storage, ids);
        const rows = await attemptsOf(storage, { outcome: 'cancelled', finalOnly: true });
        const byJob = <T extends { jobId: string }>(some: T[]): T[] =>
          some.toSorted((a, b) => a.jobId.localeCompare(b.jobId));
        assert.deepEqual(
          byJob(told).map(({ jobId }) => jobId),
          ids,
        );
        assert.deepEqual(
          byJob(told).map(({ hasBegun, since, ...run }) => {
            assert.equal(
              hasBegun,
              run.jobId !== 'unbegun',
              `It should be told whether ${run.jobId} has begun.`,
            );
            assert.equal(since !== null, run.jobId === 'opened', `${run.jobId}: ${since}`);
            return run;
          }),
          byJob(rows).map(({ runId, nominalAt, finishedAt, ...row }) => {
            const { jobId, namespace, handler, queue, origin, attempt } = row;
            const told = { id: runId, jobId, namespace, handler, queue, origin, attempt };
            return { ...told, nominalAt: nominalAt.getTime(), finishedAt: finishedAt.getTime() };
          }),
        );
        assert.deepEqual(other, [], 'Nobody has asked the other adapter.');
      },
    ]),
  ),

  'are told where they were to be cancelled, and come back unstarted, or from a worker that has died':
    async ({ storage, clock }) => {
      if (storage.runEnds === undefined) return;
      const told = toldBy(storage);
      const worker = await startWorker(storage);
      await addOneOff(storage, { id: 'unstarted' });
      const unstarted = await claimOne(storage, worker);
      await addOneOff(storage, { id: 'died' });
      const died = await claimOne(storage, worker);
      for (const { id } of [unstarted, died]) assert.equal(await storage.cancelRun(id), 'requested');
      assert.equal(told.length, 0, 'They go on.');
      await storage.giveBack([holdOf(unstarted)]);
      assert.deepEqual(
        told.splice(0).map(({ id, hasBegun, since }) => [id, hasBegun, since]),
        [[unstarted.id, false, null]],
      );
      await clock.advance(2 * minute);
      await storage.releaseLost();
      assert.deepEqual(
        told.map(({ id, hasBegun, attempt }) => [id, hasBegun, attempt]),
        [[died.id, true, 1]],
      );
      const [ended] = told;
      assert.ok(ended!.finishedAt - ended!.since! >= minute, 'It went on until its worker was found dead.');
    },

  'are not told where their worker has settled that, nor in a transaction of the caller': async ({
    storage,
    transaction,
  }) => {
    if (storage.runEnds === undefined) return;
    const told = toldBy(storage);
    await addOneOff(storage, { id: 'settled' });
    const settled = await claimOne(storage, await startWorker(storage));
    await storage.cancelRun(settled.id);
    await settle(storage, settled, { outcome: 'cancelled' });
    if (transaction !== undefined && storage.joined !== undefined) {
      const [first] = await addWaiting(storage);
      await transaction(async (manager) => {
        const joined = await storage.joined!(manager);
        assert.equal(await joined!.cancelJob(ref(first!)), 1);
      });
      assert.equal((await attemptsOf(storage, { outcome: 'cancelled' })).length, 2);
    }
    await storage.now();
    assert.deepEqual(told, []);
  },
});
