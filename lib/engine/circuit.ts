import type { ChronisEvents } from '../events/chronis.events.js';
import type { JobRef } from '../model/job.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';

const longestReason = 500;

/**
 * Pauses a job whose occurrences fail one after the other, where it says so (`pauseAfterFailures`). Looks at the count that the storage keeps,
 * so it does not matter which worker saw which failure; and one that died before it could pause leaves that to the next failure.
 */
export class Circuit {
  constructor(
    private readonly storage: StorageAdapter,
    private readonly calls: StorageCalls,
    private readonly events: ChronisEvents,
    /** Whether this process still works. */
    private readonly needed: () => boolean,
  ) {}

  /** Occurrences of these jobs have given up. Never rejects. */
  async note(jobs: readonly JobRef[]): Promise<void> {
    const distinct = new Map(jobs.map((ref) => [`${ref.namespace}\0${ref.id}`, ref]));
    for (const ref of distinct.values()) {
      await this.calls.repeat('pause', () => this.check(ref), this.needed);
    }
  }

  private async check({ namespace, id }: JobRef): Promise<void> {
    const job = await this.storage.getJob({ namespace, id });
    const limit = job?.policies.pauseAfterFailures ?? null;
    if (job === null || limit === null || job.consecutiveFailures < limit || job.paused !== null) return;
    const failures = `${job.consecutiveFailures} occurrence${job.consecutiveFailures === 1 ? '' : 's'} failed in a row`;
    const [error] = (job.lastError ?? 'without an error').split('\n');
    const reason = `${failures}. The last error: ${error}`.slice(0, longestReason);
    await this.storage.pauseJob({ namespace, id }, { reason, by: 'chronis' });
    this.events.emit('job.paused', { namespace, id, reason });
  }
}
