import type { ChronisEvents } from '../events/chronis.events.js';
import type { JobRef } from '../model/job.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageTime } from './storage.time.js';

/** A run that goes on for so long is worth a word, if its job is skipped meanwhile; and again after as long. */
const overlongMs = 3_600_000;
/** Not one question to the storage for each of thousands of jobs at once. */
const betweenQuestionsMs = 1_000;
const mostAsked = 10_000;

interface OverlongParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
}

/**
 * Tells of runs that go on and on while their job is skipped: one that hangs stops its job for good, and each skipped instant by itself is as it should be. Looks beside everything else; a look that fails
 * is left to the next skipped instant.
 */
export class OverlongRuns {
  /** When the storage was asked about a job; monotonic. */
  private readonly asked = new Map<string, number>();
  private askedAt = -Infinity;

  constructor(private readonly parts: OverlongParts) {}

  /** An instant of the job was left out, as a run of it goes on. */
  note(job: JobRef): void {
    const now = this.parts.clock.monotonic();
    const key = JSON.stringify([job.namespace, job.id]);
    const isEnough = (this.asked.get(key) ?? -Infinity) > now - overlongMs;
    if (isEnough || now - this.askedAt < betweenQuestionsMs) return;
    if (this.asked.size >= mostAsked) this.asked.clear();
    this.asked.set(key, now);
    this.askedAt = now;
    this.look(job).catch(() => this.asked.delete(key));
  }

  private async look({ namespace, id }: JobRef): Promise<void> {
    const { storage, time, events } = this.parts;
    const filter = { namespace, jobId: id, state: ['running' as const, 'open' as const] };
    for (const run of (await storage.queryRuns(filter, { limit: 1 })).items) {
      const runningMs = run.startedAt === null ? 0 : time.scheduleNow() - run.startedAt.getTime();
      if (runningMs < overlongMs) continue;
      events.emit('job.held-up', { namespace, id, runId: run.id, workerId: run.worker, runningMs });
    }
  }
}
