import assert from 'node:assert/strict';
import type { OverdueJob, StorageAdapter } from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  fireDue,
  fireOne,
  hour,
  jobOf,
  minute,
  ref,
  second,
  settle,
  startWorker,
} from './fixture.js';

const policies = { lateAfterMs: minute };
const resumed = (_: unknown, now: number) => ({ nextAt: now + hour, gap: null });

/** For storages that can tell. */
function law(check: (subject: StorageSubject) => Promise<void>): (subject: StorageSubject) => Promise<void> {
  return async (subject) => {
    if (subject.storage.overdue) await check(subject);
  };
}

async function overdue(storage: StorageAdapter, namespace?: string): Promise<string[]> {
  return (await storage.overdue!.queryOverdue(10, namespace)).jobs.map(({ id }) => id);
}

async function news(storage: StorageAdapter, limit = 10): Promise<{ begun: string[]; ended: string[] }> {
  const { begun, ended } = await storage.overdue!.noteOverdue(limit);
  const ids = (jobs: readonly OverdueJob[]): string[] => jobs.map(({ id }) => id);
  return { begun: ids(begun), ended: ids(ended) };
}

export const overdueJobLaws = lawsOf('overdue job', {
  'is one whose instant has not fired in time': law(async ({ storage, clock }) => {
    await addRecurring(storage);
    const nobody = await storage.overdue!.queryOverdue(10);
    assert.deepEqual(nobody, { watched: false, jobs: [] });
    const { nextRunAt } = await addRecurring(storage, { id: 'late', policies, dueInMs: 0 });
    await addRecurring(storage, { id: 'later', policies: { lateAfterMs: hour } });
    await clock.advance(minute - second);
    assert.deepEqual(await storage.overdue!.queryOverdue(10), { watched: true, jobs: [] });
    await clock.advance(2 * second);
    assert.deepEqual(await storage.overdue!.queryOverdue(10), {
      watched: true,
      jobs: [{ namespace: 'default', id: 'late', dueAt: nextRunAt, lateAfterMs: minute }],
    });
  }),

  'is one whose run has not begun in time, and not one that is tried again': law(
    async ({ storage, clock }) => {
      const worker = await startWorker(storage, { leaseMs: 10 * hour });
      await addRecurring(storage, { policies });
      await fireDue(storage, worker, { room: 0 });
      await clock.advance(2 * minute);
      assert.deepEqual(await overdue(storage), ['job']);
      const [run] = (await storage.claim(worker, 10)).runs;
      assert.deepEqual(await overdue(storage), []);
      const now = await storage.now();
      await settle(storage, run!, { outcome: 'failed', error: 'boom', retryAt: now });
      await clock.advance(2 * minute);
      assert.deepEqual(await overdue(storage), []);
    },
  ),

  'is told once for each instant, whoever asks, and once more when it is not overdue any more': law(
    async ({ storage, clock, open }) => {
      const worker = await startWorker(storage, { leaseMs: 10 * hour });
      await addRecurring(storage, { policies });
      assert.deepEqual(await news(storage), { begun: [], ended: [] });
      await clock.advance(2 * minute);
      const other = await open();
      const told = await Promise.all([news(storage), news(other), news(storage)]);
      assert.deepEqual(
        told.flatMap(({ begun }) => begun),
        ['job'],
      );
      assert.deepEqual(await news(other), { begun: [], ended: [] });
      assert.deepEqual(await overdue(other), ['job']);
      const run = await fireOne(storage, worker);
      const ended = await Promise.all([news(storage), news(other)]);
      assert.deepEqual(
        ended.flatMap(({ ended: gone }) => gone),
        ['job'],
      );
      await settle(storage, run);
      assert.deepEqual(await news(storage), { begun: [], ended: [] });
      // The next instant is another one.
      await clock.advance(2 * hour);
      assert.deepEqual(await news(storage), { begun: ['job'], ended: [] });
    },
  ),

  'is none while it is paused, when it is gone, or says lateAfter no more': law(
    async ({ storage, clock }) => {
      for (const id of ['a', 'b', 'c', 'd']) await addRecurring(storage, { id, policies });
      await addRecurring(storage, { id: 'e', policies, queue: 'slow' });
      await addOneOff(storage, { id: 'one-off' });
      await clock.advance(2 * minute);
      assert.deepEqual((await news(storage)).begun.sort(), ['a', 'b', 'c', 'd', 'e']);
      await storage.pauseJob(ref('a'), { reason: null, by: null });
      await storage.deleteJob(ref('b'));
      await storage.updateJob(ref('c'), { policies: { lateAfterMs: null } });
      await storage.pauseScope({ kind: 'queue', name: 'slow' }, { reason: null, by: null });
      assert.deepEqual(await overdue(storage), ['d']);
      assert.deepEqual((await news(storage)).ended.sort(), ['a', 'b', 'c', 'e']);
      await storage.resumeJob(ref('a'), resumed);
      assert.equal((await jobOf(storage, 'a')).paused, null);
      assert.deepEqual(await news(storage), { begun: [], ended: [] });
    },
  ),

  'is told in steps, the longest overdue first, and found by its namespace': law(
    async ({ storage, clock }) => {
      for (const [nth, id] of ['c', 'b', 'a'].entries())
        await addRecurring(storage, { id, policies, dueInMs: -(nth + 1) * second, namespace: `n${nth}` });
      await clock.advance(2 * minute);
      assert.deepEqual(await overdue(storage), ['a', 'b', 'c']);
      assert.deepEqual(await overdue(storage, 'n1'), ['b']);
      assert.equal((await storage.overdue!.queryOverdue(2)).jobs.length, 2);
      assert.deepEqual((await news(storage, 2)).begun.sort(), ['a', 'b']);
      assert.deepEqual(await news(storage, 2), { begun: ['c'], ended: [] });
    },
  ),
});
