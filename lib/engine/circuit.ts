import type { ChronisEvents } from '../events/chronis.events.js';
import { errorParts } from '../model/error.text.js';
import type { JobRef } from '../model/job.js';
import type { JobStore, StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';

const longestReason = 500;

/**
 * Pauses a job whose occurrences fail one after the other, where it says so (`pauseAfterFailures`). Looks at the count that the storage keeps,
 * so it does not matter which worker saw which failure; and one that died before it could pause leaves that to the next failure.
 */
export class Circuit {
  /** The jobs that are being looked at, and whether they have failed again since that began. */
  private readonly looking = new Map<string, boolean>();

  constructor(
    private readonly storage: StorageAdapter,
    private readonly calls: StorageCalls,
    private readonly events: ChronisEvents,
    /** Whether this process still works. */
    private readonly needed: () => boolean,
  ) {}

  /**
   * Occurrences of these jobs have given up. Each job is looked at by itself, as one that somebody has locked must not keep the others from being paused; and by one
   * repeated call at a time, however many of its occurrences fail meanwhile. Never rejects, whatever an adapter gave.
   */
  async note(jobs: readonly JobRef[]): Promise<void> {
    try {
      await Promise.all(jobs.map((ref) => this.look(ref)));
    } catch (error) {
      this.events.emit('engine.failed', { part: 'pausing of jobs', error });
    }
  }

  private async look(ref: JobRef): Promise<void> {
    const key = `${ref.namespace}\0${ref.id}`;
    const isUnderWay = this.looking.has(key);
    // What is under way may have read the count before this failure: it looks once more.
    this.looking.set(key, isUnderWay);
    if (isUnderWay) return;
    do {
      this.looking.set(key, false);
      await this.calls.repeat('pause', () => this.check(ref), this.needed);
    } while (this.looking.get(key) === true && this.needed());
    this.looking.delete(key);
  }

  private async check({ namespace, id }: JobRef): Promise<void> {
    const reason = await pauseIfFailing(this.storage, { namespace, id });
    if (reason !== null) this.events.emit('job.paused', { namespace, id, reason });
  }
}

/** The same once, for processes that need not work: what fails is told, and the next failure comes back to it. Never rejects. */
export async function pauseFailing(
  refs: readonly JobRef[],
  jobs: Pick<JobStore, 'getJob' | 'pauseJob'>,
  events: ChronisEvents,
  isJoined = false,
): Promise<void> {
  for (const ref of refs) {
    try {
      const reason = await pauseIfFailing(jobs, ref);
      if (reason !== null && !isJoined) events.emit('job.paused', { ...ref, reason });
    } catch (error) {
      events.emit('engine.failed', { part: 'pausing of jobs', error });
    }
  }
}

/** Pauses a job of which so many occurrences have failed as it allows. Returns why; null: it goes on, or is paused already. */
export async function pauseIfFailing(
  jobs: Pick<JobStore, 'getJob' | 'pauseJob'>,
  ref: JobRef,
): Promise<string | null> {
  const job = await jobs.getJob(ref);
  const limit = job?.policies.pauseAfterFailures ?? null;
  if (job === null || limit === null || job.consecutiveFailures < limit || job.paused !== null) return null;
  const failures = `${job.consecutiveFailures} occurrence${job.consecutiveFailures === 1 ? '' : 's'} failed in a row`;
  // In one line, as reasons are.
  const error = errorParts(job.lastError ?? 'without an error').message.replaceAll(/\n\s*/g, '; ');
  const reason = `${failures}. The last error: ${error}`.slice(0, longestReason);
  await jobs.pauseJob(ref, { reason, by: 'chronis' });
  return reason;
}
