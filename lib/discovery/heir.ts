import type { ChronisEvents } from '../events/chronis.events.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** A previous app may end without a word. */
const lookAgainMs = 60_000;
/** All processes hear at the same time that somebody went. */
const longestSpreadMs = 500;

/** What an heir works with. */
export interface HeirParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  random: () => number;
  /** There is something new to do. */
  onChange: () => void;
}

/**
 * Takes over what was made at run time in the app's previous apps, of each as soon as no worker of it lives: as long as one does, it runs these jobs. Nobody's start waits for it.
 */
export class Heir {
  /** Previous apps that may have something left. */
  private readonly open = new Set<string>();
  /** How far the leases of previous apps went that it has looked at: one that has moved may have made jobs since. */
  private readonly leases = new Map<string, number>();
  private cancelTimer: CancelTimer | null = null;
  private stopped = true;
  private atWork: Promise<void> | null = null;

  constructor(
    private readonly parts: HeirParts,
    private readonly app: string,
    private readonly previousApps: readonly string[],
  ) {}

  begin(): void {
    this.stopped = false;
    for (const each of this.previousApps) this.open.add(each);
    this.later(0);
  }

  /** Workers of whatever app went. */
  follow(): void {
    this.later(Math.round(this.parts.random() * longestSpreadMs));
  }

  async end(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    await this.atWork;
  }

  private later(pauseMs: number): void {
    if (this.stopped || this.previousApps.length === 0) return;
    this.cancelTimer?.();
    this.cancelTimer = this.parts.clock.setTimer(pauseMs, () => {
      this.atWork = (this.atWork ?? Promise.resolve())
        .then(() => this.look())
        .then(() => this.later(lookAgainMs * (0.5 + this.parts.random() / 2)));
    });
  }

  /** Never rejects. */
  private async look(): Promise<void> {
    const { storage, events, onChange } = this.parts;
    if (this.stopped) return;
    try {
      for (const { app, leaseUntil } of await storage.queryWorkers()) {
        if (!this.previousApps.includes(app) || leaseUntil.getTime() <= (this.leases.get(app) ?? -Infinity))
          continue;
        this.leases.set(app, leaseUntil.getTime());
        this.open.add(app);
      }
      if (this.open.size === 0) return;
      const { taken, open } = await storage.inherit(this.app, [...this.open]);
      for (const each of this.open) if (!open.includes(each)) this.open.delete(each);
      if (taken > 0) onChange();
    } catch (error) {
      if (!this.stopped)
        events.emit('storage.failing', { operation: 'inherit', error, retryInMs: lookAgainMs });
    }
  }
}
