import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Capability, NewJob } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/index.js';
import { settle, startWorker } from '../../lib/testing/laws/fixture.js';
import { newJob } from '../support/engine.js';

const clock = new ManualClock();

const oneOff = (id: string, change: Partial<NewJob> = {}): NewJob => newJob(clock.now(), { id, ...change });

/** Claims and settles everything that is due, `limit` at a time. */
async function drain(storage: MemoryStorage, capability: Capability, limit: number): Promise<number> {
  const at = clock.now();
  for (let drained = 0; ;) {
    const { runs } = await storage.claim(capability, limit);
    if (runs.length === 0) return drained;
    drained += runs.length;
    await storage.settle(
      runs.map(({ id: runId, fence, worker }) => ({
        runId,
        fence,
        worker,
        outcome: 'succeeded' as const,
        startedAt: at,
        finishedAt: at,
        retryAt: null,
        error: null,
        result: null,
      })),
    );
  }
}

describe('MemoryStorage', () => {
  test('keeps jobs apart from those of another storage', async () => {
    const [one, other] = [new MemoryStorage({ clock }), new MemoryStorage({ clock })];
    await one.insertJobs([oneOff('job')], 'raise');
    expect(await other.countJobs({})).toBe(0);
    expect(await one.open().countJobs({})).toBe(1);
  });

  test('says how to go on when it is used after its end', async () => {
    const storage = new MemoryStorage({ clock });
    await storage.close();
    await expect(storage.now()).rejects.toMatchObject({
      code: 'CHRONIS_STORAGE',
      message: expect.stringContaining('was closed'),
    });
  });

  test('takes no lock after its end, which others with its jobs can have', async () => {
    const storage = new MemoryStorage({ clock });
    const other = storage.open();
    await storage.close();
    await expect(storage.lock.acquire('key', 'owner', 1_000)).rejects.toMatchObject({
      code: 'CHRONIS_STORAGE',
      message: expect.stringContaining('was closed'),
    });
    expect(await other.lock.acquire('key', 'other', 1_000)).toMatchObject({ owner: 'other' });
  });

  test('drops the oldest rows of the record beyond the limit', async () => {
    const storage = new MemoryStorage({ clock, recordLimit: 100 });
    const ids = Array.from({ length: 1_000 }, (_, index) => `job-${index}`);
    await storage.insertJobs(
      ids.map((id) => oneOff(id)),
      'raise',
    );
    await drain(storage, await startWorker(storage), 10);
    const { items } = await storage.queryAttempts({}, { limit: 1_000 });
    expect(items.length).toBeGreaterThanOrEqual(100);
    expect(items.length).toBeLessThanOrEqual(110);
    expect(items[0]?.jobId).toBe('job-999');
  });

  test('forgets the signals of a run that has ended, not those of one that may be retried', async () => {
    const storage = new MemoryStorage({ clock });
    await storage.insertJobs([oneOff('job')], 'raise');
    const [run] = (await storage.claim(await startWorker(storage), 1)).runs;
    const payload = 'kept as long as it may be wanted';
    await storage.sendRunSignal(run!.id, { name: 'go', payload });
    const isKept = async (): Promise<boolean> => {
      await storage.prune({ defaultMs: 1_000_000, byVerdict: {} });
      return storage.snapshot().includes(payload);
    };
    expect(await isKept()).toBe(true);
    await settle(storage, run!, { outcome: 'failed' });
    expect(await isKept()).toBe(true);
    await storage.discardRuns([run!.id]);
    expect(await isKept()).toBe(false);
  });

  test('claims past any number of runs that the worker cannot execute', async () => {
    const storage = new MemoryStorage({ clock });
    const foreign = Array.from({ length: 5_000 }, (_, index) =>
      oneOff(`foreign-${index}`, { handler: 'nobody', priority: 0 }),
    );
    await storage.insertJobs([...foreign, oneOff('mine', { priority: 9 })], 'raise');
    const { runs } = await storage.claim(await startWorker(storage), 10);
    expect(runs.map((run) => run.jobId)).toEqual(['mine']);
  });
});
