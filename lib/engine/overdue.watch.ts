import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** Where no job says `lateAfter`: who creates the first one is found after so long. */
const lookAgainMs = 300_000;
const jobsPerStep = 100;
const mostSteps = 10;

/** Tells which jobs are overdue, and which are not any more. The storage keeps what was told, so each instant is told once, by whoever finds it first. */
export class OverdueWatch {
  /** Monotonic. null: there are such jobs, or nobody has looked. */
  private idleSince: number | null = null;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
  ) {}

  async tell(): Promise<void> {
    const { events, clock } = this;
    const { overdue } = this.storage;
    const now = clock.monotonic();
    if (overdue === undefined || (this.idleSince !== null && now - this.idleSince < lookAgainMs)) return;
    for (let step = 0; step < mostSteps; step++) {
      const { watched, begun, ended } = await overdue.noteOverdue(jobsPerStep);
      for (const job of ended) events.emit('job.overdue.ended', job);
      for (const job of begun) events.emit('job.overdue', job);
      this.idleSince = watched ? null : now;
      if (begun.length < jobsPerStep && ended.length < jobsPerStep) return;
    }
  }
}
