import type { Engine } from '../engine/engine.js';
import { aheadWords } from '../events/ahead.words.js';
import type { Calendars } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { jobsAhead } from './jobs.ahead.js';

/** Probes ask every few seconds. */
const lookAgainMs = 60_000;

interface AheadFinding {
  code: 'doctor.schedules-ahead';
  sentence: string;
}

interface StandingAheadParts {
  engine: Engine;
  storage: StorageAdapter;
  clock: Clock;
  app: string;
  calendars: Calendars;
}

/** For probes: which jobs stand still as the clock was ahead; not older than a minute, unless the storage does not answer. */
export class StandingAhead {
  private told: AheadFinding[] = [];
  /** Monotonic. */
  private lookedAt = -Infinity;

  constructor(private readonly parts: StandingAheadParts) {}

  get found(): readonly AheadFinding[] {
    return this.told;
  }

  /** Asks the storage, once a minute at most. Never rejects: that the storage fails is told elsewhere. */
  async look(): Promise<void> {
    const { engine, storage, clock, app, calendars } = this.parts;
    const now = clock.monotonic();
    if (now - this.lookedAt < lookAgainMs) return;
    this.lookedAt = now;
    try {
      const jobs = await jobsAhead(storage, { app, calendars, aheadMs: engine.scheduleAheadMs });
      this.told = jobs.length === 0 ? [] : [{ code: 'doctor.schedules-ahead', sentence: aheadWords(jobs) }];
    } catch {
      this.lookedAt = -Infinity;
    }
  }
}
