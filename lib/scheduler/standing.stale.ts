import { stalePauseWords } from '../events/pause.words.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** Probes ask every few seconds. */
const lookAgainMs = 60_000;
const mostTold = 10;

interface StaleFinding {
  code: 'doctor.stale-pause';
  sentence: string;
}

interface StandingStaleParts {
  storage: StorageAdapter;
  clock: Clock;
  /** Null: no pause is ever too old. */
  pausedTooLongMs: number | null;
}

/** For probes: which pauses may have been forgotten; not older than a minute, unless the storage does not answer. */
export class StandingStale {
  private told: StaleFinding[] = [];
  /** Monotonic. */
  private lookedAt = -Infinity;

  constructor(private readonly parts: StandingStaleParts) {}

  get found(): readonly StaleFinding[] {
    return this.told;
  }

  /** Asks the storage, once a minute at most. Never rejects: that the storage fails is told elsewhere. */
  async look(): Promise<void> {
    const { storage, clock, pausedTooLongMs } = this.parts;
    const now = clock.monotonic();
    if (pausedTooLongMs === null || !storage.stalePauses || now - this.lookedAt < lookAgainMs) return;
    this.lookedAt = now;
    try {
      const pauses = await storage.stalePauses(pausedTooLongMs, mostTold, false);
      this.told = pauses.map((pause) => ({ code: 'doctor.stale-pause', sentence: stalePauseWords(pause) }));
    } catch {
      this.lookedAt = -Infinity;
    }
  }
}
