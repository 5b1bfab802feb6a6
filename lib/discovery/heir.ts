import type { ChronisEvents } from '../events/chronis.events.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';
import type { Exploration } from './declared.job.js';
import { previousKeys } from './effective.declarations.js';

/** A previous app may end without a word. */
const lookAgainMs = 60_000;
/** All processes hear at the same time that somebody went. */
const longestSpreadMs = 500;

/** More are not told of. */
const mostTold = 100;

/** What an heir works with. */
export interface HeirParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  random: () => number;
  explore: () => Pick<Exploration, 'jobs'>;
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
  /** Of which it has looked for methods that run in both. */
  private readonly compared = new Set<string>();
  private cancelTimer: CancelTimer | null = null;
  private stopped = true;
  private atWork: Promise<void> | null = null;
  private again = false;

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
    // What is under way may have looked at them before.
    if (this.atWork !== null) this.again = true;
    else this.later(this.parts.random() * longestSpreadMs);
  }

  async end(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    await this.atWork;
  }

  private later(pauseMs: number): void {
    if (this.stopped || this.previousApps.length === 0) return;
    this.cancelTimer?.();
    this.cancelTimer = this.parts.clock.setTimer(Math.round(pauseMs), () => {
      this.again = false;
      this.atWork = this.look().then(() => {
        this.atWork = null;
        const mostMs = this.again ? longestSpreadMs : lookAgainMs;
        this.later(mostMs * (0.5 + this.parts.random() / 2));
      });
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
      for (const each of open) await this.tellDoubled(each);
    } catch (error) {
      if (!this.stopped)
        events.emit('storage.failing', { operation: 'inherit', error, retryInMs: lookAgainMs });
    }
  }

  /** Methods that a previous app goes on with, as nothing says that this app has their jobs under other ids. Once for each app. */
  private async tellDoubled(previousApp: string): Promise<void> {
    if (this.compared.has(previousApp)) return;
    const { storage, events, explore } = this.parts;
    const { jobs } = explore();
    const known = new Set(
      jobs.flatMap(({ definition, previousIds }) => [
        refKey(definition),
        ...previousKeys({ namespace: definition.namespace, previousIds }),
      ]),
    );
    const handlers = [...new Set(jobs.map(({ definition }) => definition.handler))];
    if (handlers.length === 0) return;
    const filter = { source: 'code', app: previousApp, handler: handlers } as const;
    const { items } = await storage.queryJobs(filter, { limit: mostTold });
    this.compared.add(previousApp);
    const doubled = items.filter((job) => job.orphanedAt === null && !known.has(refKey(job)));
    if (doubled.length === 0) return;
    events.emit('methods.doubled', {
      app: this.app,
      previousApp,
      jobs: doubled.map(({ namespace, id, handler }) => ({ namespace, id, handler })),
    });
  }
}
