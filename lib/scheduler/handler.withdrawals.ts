import { randomUUID } from 'node:crypto';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import { HandlerNotFoundError } from '../model/errors.js';
import type { Calendars } from '../model/trigger.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { DueCursor, EpochMs, Firing, NewGap, StorageAdapter } from '../ports/storage.adapter.js';
import { planResume } from './resume.plan.js';

/** How often what nobody takes part in is put on record: rarely, as it may be for months. */
const lookMs = 3_600_000;
/**
 * What was withdrawn so shortly before the end of the process was withdrawn because of the end: by a hook that cleans up. Its instants belong to the processes that
 * come next.
 */
const becauseOfTheEndMs = 30_000;
const cursorsPerRead = 1_000;

/** What withdrawals work with. */
export interface WithdrawalParts {
  handlers: HandlerRegistry;
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  calendars: Calendars;
  app: string;
  queues: readonly string[];
  /** How long the end may take at most. */
  shutdownTimeoutMs: number;
  /** Of the lease that the process has now. */
  workerId: () => string | null;
}

/**
 * Handlers in whose work this process takes no part. The others go on, and nothing of it is stored: it ends with the process.
 *
 * Where no live worker of the app takes part, cursors stand still. They are moved to the first instant from now when somebody takes part again, every hour, and at the end of the
 * process; what they pass over is a gap. So who starts again does not make up for what was left out on purpose.
 */
export class HandlerWithdrawals {
  /** Since when (monotonic). Each withdrawal is an object of its own. */
  private readonly withdrawn = new Map<string, { since: number }>();
  private running = false;
  private cancelTimer: CancelTimer | null = null;

  constructor(private readonly parts: WithdrawalParts) {}

  /** Throws HandlerNotFoundError where this process has no such handler. */
  withdraw(name: string): void {
    const { handlers, clock } = this.parts;
    if (!handlers.has(name)) throw new HandlerNotFoundError(name, handlers.names().toSorted());
    const since = this.withdrawn.get(name)?.since ?? clock.monotonic();
    this.withdrawn.set(name, { since });
    handlers.withdraw(name);
  }

  /** Resolves when this process takes part again, unless it was withdrawn anew meanwhile. Never rejects. */
  async offer(name: string): Promise<void> {
    const withdrawal = this.withdrawn.get(name);
    if (withdrawal === undefined) return;
    if (this.running) await this.passOver([name]);
    if (this.withdrawn.get(name) !== withdrawal) return;
    this.withdrawn.delete(name);
    this.parts.handlers.offer(name);
  }

  /** The scheduler runs. */
  begin(): void {
    this.running = true;
    this.later();
  }

  /** The scheduler stops. Never rejects, and takes no longer than that may: what is not done then is made up for as after a downtime. */
  async end(): Promise<void> {
    if (!this.running) return;
    this.running = false;
    this.cancelTimer?.();
    const before = this.parts.clock.monotonic() - becauseOfTheEndMs;
    const names = [...this.withdrawn].filter(([, { since }]) => since <= before).map(([name]) => name);
    if (names.length === 0) return;
    let cancel: CancelTimer = () => undefined;
    const timeout = new Promise<void>((resolve) => {
      cancel = this.parts.clock.setTimer(this.parts.shutdownTimeoutMs, resolve);
    });
    await Promise.race([this.passOver(names), timeout]);
    cancel();
  }

  private later(): void {
    this.cancelTimer = this.parts.clock.setTimer(lookMs, () => {
      void this.passOver([...this.withdrawn.keys()]).then(() => this.running && this.later());
    });
  }

  /** Of those that no live worker of the app offers. What cannot be done now is done later, or made up for as after a downtime. */
  private async passOver(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    try {
      const left = await this.leftAlone(names);
      while (left.length > 0 && (await this.passOverSome(left))) continue;
    } catch (error) {
      this.parts.events.emit('storage.failing', { operation: 'pass over', error, retryInMs: lookMs });
    }
  }

  private async leftAlone(names: readonly string[]): Promise<string[]> {
    const { storage, app, workerId } = this.parts;
    const now = await storage.now();
    const others = (await storage.queryWorkers()).filter(
      (worker) => worker.id !== workerId() && worker.app === app && worker.leaseUntil.getTime() > now,
    );
    const offered = new Set(others.flatMap(({ handlers }) => handlers));
    return names.filter((name) => !offered.has(name));
  }

  /** Returns whether there may be more. */
  private async passOverSome(handlers: readonly string[]): Promise<boolean> {
    const { storage, app, queues, workerId, events } = this.parts;
    const capability = { workerId: workerId() ?? randomUUID(), app, queues, handlers };
    const { now, cursors } = await storage.dueCursors(capability, cursorsPerRead);
    const plans = cursors.map((cursor) => this.plan(cursor, now)).filter((plan) => plan !== null);
    if (plans.length === 0) return false;
    const { moved } = await storage.fire(
      capability,
      plans.map(({ firing }) => firing),
      0,
    );
    for (const { cursor, gap } of plans) {
      if (!moved.includes(cursor.jobUid)) continue;
      const range = { from: new Date(gap.from), until: new Date(gap.until) };
      events.emit('gap.recorded', { namespace: cursor.namespace, id: cursor.jobId, ...gap, ...range });
    }
    return moved.length > 0 && cursors.length === cursorsPerRead;
  }

  /** Null: it stays due, as nothing comes after it, or its next time cannot be computed. */
  private plan(cursor: DueCursor, now: EpochMs): { cursor: DueCursor; firing: Firing; gap: NewGap } | null {
    const { jobUid, jobId: id, namespace, nominalAt, revision, fired, trigger } = cursor;
    try {
      const { nextAt, gap } = planResume(
        namespace,
        { id, trigger, pausedFrom: nominalAt },
        now,
        this.parts.calendars,
      );
      if (gap === null) return null;
      const passed: NewGap = { ...gap, reason: 'withdrawn' };
      const overlap = 'allow' as const;
      const firing = { jobUid, nominalAt, revision, fired, nextAt, until: gap.until, overlap };
      return { cursor, gap: passed, firing: { ...firing, births: [], gaps: [passed] } };
    } catch {
      return null;
    }
  }
}
