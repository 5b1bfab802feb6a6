import { overdueWords } from '../events/overdue.words.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** Probes ask every few seconds. */
const lookAgainMs = 15_000;
/** Where no job says `lateAfter`. */
const lookRarelyMs = 300_000;
const mostTold = 10;

interface OverdueFinding {
  code: 'health.overdue-job';
  sentence: string;
}

/** For probes: which jobs are overdue; not older than 15 s, unless the storage does not answer. */
export class StandingOverdue {
  private told: OverdueFinding[] = [];
  /** Monotonic. */
  private nextLookAt = -Infinity;

  constructor(private readonly parts: { storage: StorageAdapter; clock: Clock }) {}

  get found(): readonly OverdueFinding[] {
    return this.told;
  }

  /** Never rejects: that the storage fails is told elsewhere. */
  async look(): Promise<void> {
    const { storage, clock } = this.parts;
    const now = clock.monotonic();
    if (!storage.overdue || now < this.nextLookAt) return;
    this.nextLookAt = now + lookAgainMs;
    try {
      const { watched, jobs } = await storage.overdue.queryOverdue(mostTold);
      if (!watched) this.nextLookAt = now + lookRarelyMs;
      this.told = jobs.map((job) => ({ code: 'health.overdue-job', sentence: overdueWords(job) }));
    } catch {
      this.nextLookAt = -Infinity;
    }
  }
}
