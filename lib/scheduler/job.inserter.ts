import { StorageError } from '../model/errors.js';
import type { ConflictPolicy, InsertResult, JobStore, NewJob } from '../ports/storage.adapter.js';

const largestBatch = 500;
const largestBatchChars = 4_000_000;

interface Waiting {
  job: NewJob;
  onConflict: ConflictPolicy;
  chars: number;
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

  constructor(private readonly storage: Pick<JobStore, 'insertJobs'>) {}

  insert(job: NewJob, onConflict: ConflictPolicy): Promise<InsertResult> {
    const chars = job.payload === null ? 0 : JSON.stringify(job.payload).length;
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, onConflict, chars, resolve, reject });
      if (this.writing) return;
      this.writing = true;
      void this.write();
    });
  }

  private async write(): Promise<void> {
    // Calls of one turn of the event loop make one batch.
    await Promise.resolve();
    while (this.waiting.length > 0) await this.store(this.takeBatch());
    this.writing = false;
  }

  /** From the front, as long as the policy is the same and the statement stays of a bounded size. */
  private takeBatch(): Waiting[] {
    const { onConflict } = this.waiting[0]!;
    let chars = 0;
    const end = this.waiting.findIndex((item, i) => {
      chars += item.chars;
      return i > 0 && (i >= largestBatch || item.onConflict !== onConflict || chars > largestBatchChars);
    });
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  private async store(batch: Waiting[]): Promise<void> {
    try {
      const results = await this.storage.insertJobs(
        batch.map(({ job }) => job),
        batch[0]!.onConflict,
      );
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
    } catch (error) {
      // Not reachable, or no answer: nobody knows whether the jobs were stored, so nobody may try again in the caller's place.
      if (batch.length === 1 || error instanceof StorageError) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One item that the storage refuses must not take the others with it.
      const middle = batch.length >> 1;
      await this.store(batch.slice(0, middle));
      await this.store(batch.slice(middle));
    }
  }
}
