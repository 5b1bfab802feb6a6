import { StorageError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { ConflictPolicy, InsertResult, JobStore, NewJob } from '../ports/storage.adapter.js';
import type { StorageNow } from './storage.now.js';

const largestBatch = 500;
const largestBatchChars = 4_000_000;

/** A job that is to be stored. */
export interface Insertion {
  job: NewJob;
  onConflict: ConflictPolicy;
}

/** What became of it. */
export type Inserted = InsertResult | { status: 'rejected'; error: unknown };

interface Waiting extends Insertion {
  resolve: (result: InsertResult) => void;
  reject: (error: unknown) => void;
}

/**
 * Stores jobs in batches that form by themselves: what is asked for while a call is under way goes into the next one. So one caller
 * waits for one statement, and a hundred callers share one. Each gets its own result or its own error.
 */
export class JobInserter {
  private waiting: Waiting[] = [];
  private writing = false;

  constructor(
    private readonly storage: Pick<JobStore, 'insertJobs'>,
    /** Hears the time in the answers. */
    private readonly time: StorageNow | null = null,
  ) {}

  insert(job: NewJob, onConflict: ConflictPolicy): Promise<InsertResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, onConflict, resolve, reject });
      if (this.writing) return;
      this.writing = true;
      void this.write();
    });
  }

  /** Stores many of one caller, in their order and beside all others. Does not reject. */
  async insertAll(insertions: readonly Insertion[]): Promise<Inserted[]> {
    const results: Inserted[] = [];
    while (results.length < insertions.length) {
      const end = endOfBatch(insertions, results.length);
      results.push(...(await this.store(insertions.slice(results.length, end))));
    }
    return results;
  }

  private async write(): Promise<void> {
    // Calls of one turn of the event loop make one batch.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, endOfBatch(this.waiting, 0));
      for (const [i, result] of (await this.store(batch)).entries()) {
        if (result.status === 'rejected') batch[i]!.reject(result.error);
        else batch[i]!.resolve(result);
      }
    }
    this.writing = false;
  }

  private async store(batch: readonly Insertion[]): Promise<Inserted[]> {
    const jobs = batch.map(({ job }) => job);
    try {
      const call = (): Promise<InsertResult[]> => this.storage.insertJobs(jobs, batch[0]!.onConflict);
      return await (this.time === null ? call() : this.time.hearing(call, storedAt));
    } catch (error) {
      // Not reachable, or no answer: nobody knows whether the jobs were stored, so nobody may try again in the caller's place.
      if (batch.length === 1 || isOf(error, StorageError)) {
        return batch.map(() => ({ status: 'rejected', error }));
      }
      // One item that the storage refuses must not take the others with it.
      const middle = batch.length >> 1;
      return [...(await this.store(batch.slice(0, middle))), ...(await this.store(batch.slice(middle)))];
    }
  }
}

/** From `start` on as long as the policy is the same and the statement stays of a bounded size. */
function endOfBatch(insertions: readonly Insertion[], start: number): number {
  const { onConflict } = insertions[start]!;
  let chars = 0;
  for (let i = start; i < insertions.length; i++) {
    const { job, onConflict: policy } = insertions[i]!;
    chars += job.payload === null ? 0 : JSON.stringify(job.payload).length;
    if (i === start) continue;
    if (i - start >= largestBatch || policy !== onConflict || chars > largestBatchChars) return i;
  }
  return insertions.length;
}

/** When jobs were stored; null: none was. */
function storedAt(results: readonly InsertResult[]): number | null {
  for (const result of results)
    if (result.status === 'created' || result.status === 'replaced') return result.job.updatedAt.getTime();
  return null;
}
