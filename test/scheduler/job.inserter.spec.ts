import { describe, expect, test } from 'vitest';
import { StorageError } from '../../lib/model/errors.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { ConflictPolicy, InsertResult, NewJob } from '../../lib/ports/storage.adapter.js';
import { JobInserter } from '../../lib/scheduler/job.inserter.js';
import { newJob } from '../support/engine.js';

/** Notes the size of each batch, and fails as it is told to. */
class NotingStorage extends MemoryStorage {
  readonly batches: number[] = [];
  failure: (jobs: readonly NewJob[]) => Error | null = () => null;

  override insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]> {
    this.batches.push(jobs.length);
    const failure = this.failure(jobs);
    return failure ? Promise.reject(failure) : super.insertJobs(jobs, onConflict);
  }
}

const jobs = (count: number, given: (i: number) => Partial<NewJob> = () => ({})): NewJob[] =>
  Array.from({ length: count }, (_, i) => newJob(0, { id: `job-${i}`, ...given(i) }));

describe('jobs that are created at the same time', () => {
  test('share a statement, and each caller gets the result of its own', async () => {
    const storage = new NotingStorage();
    const inserter = new JobInserter(storage);
    const results = await Promise.all(jobs(1_200).map((job) => inserter.insert(job, 'raise')));
    expect(storage.batches).toEqual([500, 500, 200]);
    expect(results.map((result) => result.status !== 'conflict' && result.job.id)).toEqual(
      jobs(1_200).map(({ id }) => id),
    );
  });

  test('are stored alone where nobody else creates any', async () => {
    const storage = new NotingStorage();
    const inserter = new JobInserter(storage);
    for (const job of jobs(3)) await inserter.insert(job, 'raise');
    expect(storage.batches).toEqual([1, 1, 1]);
  });

  test('do not share a statement with another policy, nor one that grows too large', async () => {
    const storage = new NotingStorage();
    const inserter = new JobInserter(storage);
    const policies: ConflictPolicy[] = ['raise', 'raise', 'ignore', 'raise'];
    const small = jobs(4).map((job, i) => inserter.insert(job, policies[i]!));
    const large = jobs(6, (i) => ({ id: `large-${i}`, payload: 'x'.repeat(1_900_000) }));
    await Promise.all([...small, ...large.map((job) => inserter.insert(job, 'raise'))]);
    expect(storage.batches).toEqual([2, 1, 3, 2, 2]);
  });

  test('do not fail together when the storage refuses one of them', async () => {
    const storage = new NotingStorage();
    storage.failure = (batch) => (batch.some(({ id }) => id === 'job-13') ? new Error('no 13') : null);
    const inserter = new JobInserter(storage);
    const results = await Promise.allSettled(jobs(50).map((job) => inserter.insert(job, 'raise')));
    expect(results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([13]);
    expect(results[13]).toMatchObject({ reason: { message: 'no 13' } });
    expect(await storage.countJobs({})).toBe(49);
  });

  test('all fail when nobody knows whether they were stored', async () => {
    const storage = new NotingStorage();
    storage.failure = () => new StorageError('The connection was lost.');
    const inserter = new JobInserter(storage);
    const results = await Promise.allSettled(jobs(50).map((job) => inserter.insert(job, 'raise')));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(storage.batches).toEqual([50]);
    storage.failure = () => null;
    expect((await inserter.insert(jobs(1)[0]!, 'raise')).status).toBe('created');
  });
});
