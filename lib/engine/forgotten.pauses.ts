import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** What has stood for days is told soon enough. */
const lookAgainMs = 3_600_000;
const pausesPerStep = 100;
const mostSteps = 10;

/** Tells of pauses that stand for long and have no end. The storage keeps what was told, so each is told once, by whoever finds it first. */
export class ForgottenPauses {
  /** Monotonic. */
  private lookedAt = -Infinity;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
    /** Null: none is ever forgotten. */
    private readonly tooLongMs: number | null,
  ) {}

  async tell(): Promise<void> {
    const { storage, clock, events, tooLongMs } = this;
    if (tooLongMs === null || storage.stalePauses === undefined || storage.notePauses === undefined) return;
    const now = clock.monotonic();
    if (now - this.lookedAt < Math.min(lookAgainMs, tooLongMs)) return;
    for (let step = 0; step < mostSteps; step++) {
      const stale = await storage.stalePauses(tooLongMs, pausesPerStep, true);
      if (stale.length > 0)
        for (const pause of await storage.notePauses(stale)) events.emit('pause.stale', pause);
      if (stale.length < pausesPerStep) break;
    }
    this.lookedAt = now;
  }
}
