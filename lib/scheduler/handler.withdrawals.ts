import { randomUUID } from 'node:crypto';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import { Turns } from '../engine/turns.js';
import type { ChronisEvents } from '../events/chronis.events.js';
import { HandlerNotFoundError } from '../model/errors.js';
import type { Calendars } from '../model/trigger.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { DueCursor, EpochMs, Firing, NewGap, StorageAdapter } from '../ports/storage.adapter.js';
import { walkResume } from './resume.plan.js';

/** How often what nobody takes part in is put on record: rarely, as it may be for months. */
const lookMs = 3_600_000;
/**
 * What was withdrawn so shortly before the end of the process was withdrawn because of the end: by a hook that cleans up. Its instants belong to the processes that
 * come next.
 */
const becauseOfTheEndMs = 30_000;
const cursorsPerRead = 1_000;
/** What a plan costs, in instants walked over. */
const shareOfPlanning = 5;

/** Handlers, and the queues of their jobs. */
interface Reach {
  queues: string[];
  handlers: string[];
}

interface Plan {
  cursor: DueCursor;
  firing: Firing;
  gap: NewGap;
}

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
 * Where no live worker of the app takes part, in the queue of the job, cursors stand still. They are moved to the first instant from now when somebody takes part again, every hour, and at the end of the
 * process; what they pass over is a gap. So who starts again does not make up for what was left out on purpose.
 */
export class HandlerWithdrawals {
  /** Since when (monotonic). Each withdrawal is an object of its own. */
  private readonly withdrawn = new Map<string, { since: number }>();
  private running = false;
  private cancelTimer: CancelTimer | null = null;
  private readonly turns: Turns;

  constructor(private readonly parts: WithdrawalParts) {
    this.turns = new Turns(parts.clock);
  }

  /** Throws HandlerNotFoundError where this process has no such handler. */
  withdraw(name: string): void {
    const { handlers, clock } = this.parts;
    const handler = handlers.get(name);
    if (!handler) throw new HandlerNotFoundError(name, handlers.names().toSorted());
    const since = this.withdrawn.get(name)?.since ?? clock.monotonic();
    const withdrawal = { since };
    for (const each of handler.names) this.withdrawn.set(each, withdrawal);
    handlers.withdraw(handler.names);
  }

  /** Resolves when this process takes part again, unless it was withdrawn anew meanwhile. Never rejects. */
  async offer(name: string): Promise<void> {
    const withdrawal = this.withdrawn.get(name);
    if (withdrawal === undefined) return;
    const { names } = this.parts.handlers.get(name)!;
    if (this.running) await this.passOver(names);
    if (this.withdrawn.get(name) !== withdrawal) return;
    for (const each of names) this.withdrawn.delete(each);
    this.parts.handlers.offer(names);
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
      for (const reach of await this.leftAlone(names)) await this.passOverAll(reach);
    } catch (error) {
      this.parts.events.emit('storage.failing', { operation: 'pass over', error, retryInMs: lookMs });
    }
  }

  /** The handlers that nobody else offers, by the queues in which nobody does. */
  private async leftAlone(names: readonly string[]): Promise<Reach[]> {
    const { storage, app, queues, workerId } = this.parts;
    const now = await storage.now();
    const others = (await storage.queryWorkers()).filter(
      (worker) => worker.id !== workerId() && worker.app === app && worker.leaseUntil.getTime() > now,
    );
    const reaches = new Map<string, Reach>();
    for (const name of names) {
      const served = new Set(
        others.filter(({ handlers }) => handlers.includes(name)).flatMap((worker) => worker.queues),
      );
      const left = queues.filter((queue) => !served.has(queue));
      const reach = reaches.get(JSON.stringify(left)) ?? { queues: left, handlers: [] };
      reach.handlers.push(name);
      if (left.length > 0) reaches.set(JSON.stringify(left), reach);
    }
    return [...reaches.values()];
  }

  private async passOverAll(reach: Reach): Promise<void> {
    for (let stuck = 0; ;) {
      // Those that stay due are the first of each read.
      const limit = stuck + cursorsPerRead;
      const { found, moved } = await this.passOverSome(reach, limit);
      const isMoreToDo = found === limit && (moved > 0 || found > stuck);
      if (!isMoreToDo) return;
      stuck = found - moved;
    }
  }

  /** How many were due, and how many of them were moved. */
  private async passOverSome(
    { handlers, queues }: Reach,
    limit: number,
  ): Promise<{ found: number; moved: number }> {
    const { storage, app, workerId, events } = this.parts;
    const capability = { workerId: workerId() ?? randomUUID(), app, queues, handlers };
    const { now, cursors } = await storage.dueCursors(capability, limit);
    const plans: Plan[] = [];
    for (const cursor of cursors) {
      const plan = await this.plan(cursor, now);
      if (plan !== null) plans.push(plan);
    }
    if (plans.length === 0) return { found: cursors.length, moved: 0 };
    const { moved } = await storage.fire(
      capability,
      plans.map(({ firing }) => firing),
      0,
    );
    const isMoved = new Set(moved);
    for (const { cursor, gap } of plans) {
      if (!isMoved.has(cursor.jobUid)) continue;
      const range = { from: new Date(gap.from), until: new Date(gap.until) };
      const { namespace, jobId: id, handler } = cursor;
      events.emit('gap.recorded', { namespace, id, handler, ...gap, ...range });
    }
    return { found: cursors.length, moved: moved.length };
  }

  /** Null: it stays due, as nothing comes after it, or its next time cannot be computed. */
  private async plan(cursor: DueCursor, now: EpochMs): Promise<Plan | null> {
    const { jobUid, jobId: id, namespace, nominalAt, revision, fired, trigger } = cursor;
    const job = { id, trigger, pausedFrom: nominalAt };
    try {
      const walk = walkResume(namespace, job, now, this.parts.calendars);
      const { nextAt, gap } = await this.turns.finish(walk);
      await this.turns.spend(shareOfPlanning);
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
