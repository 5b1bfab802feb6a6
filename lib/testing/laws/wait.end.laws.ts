import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, Settlement, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import { addOneOff, hour, jobOf, oneOff, ref, settle, settlementOf, startWorker } from './fixture.js';
import { assertStates, claimAll, claimIt, create, lastOf, lasting, runIt, stateAt } from './wait.fixture.js';

const failed: Partial<Settlement> = { outcome: 'failed', error: 'boom' };

interface End {
  end: (storage: StorageAdapter, run: ClaimedRun, worker: Capability) => Promise<unknown>;
  /** Whether it may be retried by hand. */
  stays: boolean;
}

/** What may become of a run that a worker has, but for success. */
const ends: Record<string, End> = {
  failed: { end: (storage, run) => settle(storage, run, failed), stays: true },
  'timed out': {
    end: (storage, run) => settle(storage, run, { outcome: 'timed_out', error: 'late' }),
    stays: true,
  },
  cancelled: {
    end: async (storage, run) => {
      await storage.cancelRun(run.id);
      await settle(storage, run, { outcome: 'cancelled' });
    },
    stays: false,
  },
  deleted: {
    end: async (storage, run) => {
      await storage.deleteJob(ref(run.jobId));
      await settle(storage, run, failed);
    },
    stays: false,
  },
  'given back by a worker that was told to cancel': {
    end: async (storage, run) => {
      await storage.cancelRun(run.id);
      await storage.giveBack([{ runId: run.id, fence: run.fence, worker: run.worker }]);
    },
    stays: false,
  },
};

export const waitEndLaws = lawsOf('ends of what jobs wait for', {
  ...Object.fromEntries(
    Object.entries(ends).map(([how, { end, stays }]) => [
      `one that was ${how}`,
      async ({ storage }: { storage: StorageAdapter }): Promise<void> => {
        const worker = await lasting(storage);
        for (const otherwise of ['block', 'cancel', 'run'] as const) {
          const [parent, child, last] = [`${otherwise}-a`, `${otherwise}-c`, `${otherwise}-d`];
          await create(storage, { [parent]: [], [child]: [parent], [last]: [child] }, { otherwise });
          await end(storage, await claimIt(storage, worker, parent), worker);
          if (otherwise === 'run') {
            await runIt(storage, worker, child);
            await runIt(storage, worker, last);
          } else if (otherwise === 'block' && stays) {
            await assertStates(storage, { [child]: 'waiting', [last]: 'waiting' });
          } else {
            await assertStates(storage, { [child]: null, [last]: null });
            const { outcome, error } = await lastOf(storage, child);
            assert.equal(outcome, 'cancelled');
            assert.match(error!, new RegExp(`^Too few of the jobs .*"${parent}" \\(\\w+\\)\\.$`));
          }
          assert.equal((await storage.claim(worker, 10)).runs.length, 0);
        }
      },
    ]),
  ),

  'one that was lost as often as it may be': async ({ storage, clock }) => {
    if (!clock) return;
    for (const otherwise of ['block', 'cancel', 'run'] as const) {
      const [parent, child] = [`${otherwise}-a`, `${otherwise}-c`];
      await create(storage, { [parent]: [], [child]: [parent] }, { otherwise }, { policies: { maxLost: 1 } });
      const worker = await startWorker(storage);
      await claimIt(storage, worker, parent);
      await clock.advance(hour);
      await storage.releaseLost();
      assert.equal(await stateAt(storage, parent), 'failed');
      const states = { block: 'waiting', cancel: null, run: 'pending' } as const;
      assert.equal(await stateAt(storage, child), states[otherwise]);
      if (otherwise === 'run') await runIt(storage, await startWorker(storage), child);
    }
  },

  'one that never began: cancelled, deleted, or deleted with many': async ({ storage }) => {
    for (const how of ['cancel', 'delete', 'many'] as const) {
      await create(storage, { [how]: [], [`${how}-c`]: [how], [`${how}-d`]: [`${how}-c`] });
      if (how === 'cancel') await storage.cancelJob(ref(how));
      else if (how === 'delete') await storage.deleteJob(ref(how));
      else await storage.changeJobs([ref(how)], { kind: 'delete' });
      await assertStates(storage, { [how]: null, [`${how}-c`]: null, [`${how}-d`]: null });
      assert.equal((await lastOf(storage, `${how}-d`)).outcome, 'cancelled');
    }
  },

  'a dead letter that is discarded, or deleted, has ended for good': async ({ storage }) => {
    const worker = await lasting(storage);
    for (const how of ['discard', 'delete', 'many'] as const) {
      await create(storage, { [how]: [], [`${how}-c`]: [how] });
      const run = await claimIt(storage, worker, how);
      await settle(storage, run, failed);
      await assertStates(storage, { [`${how}-c`]: 'waiting' });
      if (how === 'discard') await storage.discardRuns([run.id]);
      else if (how === 'delete') await storage.deleteJob(ref(how));
      else await storage.changeJobs([ref(how)], { kind: 'delete' });
      await assertStates(storage, { [`${how}-c`]: null });
      assert.match((await lastOf(storage, `${how}-c`)).error!, /\(failed\)\.$/);
    }
  },

  'one that needs some waits on for those that may still succeed': async ({ storage }) => {
    await create(storage, { a: [], b: [], x: [], c: ['a', 'b', 'x'] }, { need: 2 });
    const worker = await lasting(storage);
    const runs = await claimAll(storage, worker);
    await storage.deleteJob(ref('x'));
    await assertStates(storage, { c: 'waiting' });
    await settle(storage, runs.get('a')!);
    await assertStates(storage, { c: 'waiting' });
    await settle(storage, runs.get('b')!);
    await runIt(storage, worker, 'c').catch((error) => assert.fail(String(error)));
  },

  'one that is replaced by another when it is over: that is waited for': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'] });
    const worker = await lasting(storage);
    await runIt(storage, worker, 'a', failed);
    await storage.insertJobs([await oneOff(storage, { id: 'a', payload: 'again' })], 'replace');
    await assertStates(storage, { a: 'pending', c: 'waiting' });
    await runIt(storage, worker, 'a');
    await runIt(storage, worker, 'c');
  },

  'one that is open, and gets its verdict from outside': async ({ storage }) => {
    await create(storage, { a: [], c: ['a'] });
    const worker = await lasting(storage);
    const run = await claimIt(storage, worker, 'a');
    await settle(storage, run, { outcome: 'opened' });
    assert.equal(await stateAt(storage, 'c'), 'waiting');
    const verdict = await settlementOf(storage, run);
    await storage.settleOpen(run.id, ({ fence, worker: holder, openedAt }) => ({
      ...verdict,
      fence,
      worker: holder,
      startedAt: openedAt ?? verdict.startedAt,
    }));
    await runIt(storage, worker, 'c');
  },

  'one with a callback, and one that is kept': async ({ storage }) => {
    await addOneOff(storage, { id: 'a', policies: { keepMs: hour } });
    await create(storage, { c: ['a'] });
    const worker = await lasting(storage);
    const callback = await oneOff(storage, { id: 'callback', dueInMs: hour });
    await runIt(storage, worker, 'a', { callback });
    assert.equal((await jobOf(storage, 'a')).state, 'completed');
    assert.equal((await jobOf(storage, 'callback')).state, 'pending');
    await runIt(storage, worker, 'c');
  },
});
