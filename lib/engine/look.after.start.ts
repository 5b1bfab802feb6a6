import type { ChronisEvents } from '../events/chronis.events.js';
import type { CancelTimer, Clock } from '../ports/clock.js';

const tryAgainMs = 60_000;

/** What it works with. */
export interface LookAfterStartParts {
  clock: Clock;
  events: ChronisEvents;
  /** As `storage.failing` names it. */
  operation: string;
  /** The first moments belong to what became due while nobody worked. */
  graceMs: number;
  /** Looks, and returns what tells of it. */
  look: () => Promise<() => void>;
}

/** Looks once at what a process finds stored, some time after its start, and again while the storage does not answer. */
export class LookAfterStart {
  private cancelTimer: CancelTimer | null = null;

  constructor(private readonly parts: LookAfterStartParts) {}

  begin(): void {
    this.end();
    this.later(this.parts.graceMs);
  }

  end(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
  }

  private later(pauseMs: number): void {
    const cancel = this.parts.clock.setTimer(pauseMs, () => void this.look(cancel));
    this.cancelTimer = cancel;
  }

  /** Never rejects. What it finds after the end is not told. */
  private async look(own: CancelTimer): Promise<void> {
    const { events, operation, look } = this.parts;
    const isOver = (): boolean => this.cancelTimer !== own;
    try {
      const tell = await look();
      if (!isOver()) tell();
    } catch (error) {
      if (isOver()) return;
      events.emit('storage.failing', { operation, error, retryInMs: tryAgainMs });
      this.later(tryAgainMs);
    }
  }
}
