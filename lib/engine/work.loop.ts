import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { JobRef } from '../model/job.js';
import type { ClaimedRun } from '../model/run.js';
import type { DueCursor, NextWake, StorageAdapter } from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import type { Calendars } from '../model/trigger.js';
import { Alarm } from './alarm.js';
import { Firer } from './firer.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';
import type { WorkerSession } from './worker.session.js';

/** A statement that its caller has given up on may still be carried out; by then it is, or never will be. */
const lateEffectMs = 30_000;
const longestFruitlessPauseMs = 1_000;

/** What a loop needs of its engine. */
export interface LoopParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  calls: StorageCalls;
  random: () => number;
  pollMs: number;
  calendars: Calendars;
  /** Whether the lease is trusted, so that work may begin. */
  trusted: () => boolean;
  /** Called with the jobs of runs that have ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
}

/**
 * The loop of one session: sleep, fire, claim. It sleeps until the earliest of the next due cursor, the next due run, the end of another
 * worker's lease and the poll, or until woken. What it knows of the future is its outlook; null means that it has to look.
 *
 * Losing a wake or a wrong outlook costs at most one poll interval; every decision is made by the storage.
 */
export class WorkLoop {
  private readonly alarm: Alarm;
  private readonly firer: Firer;
  private outlook: Omit<NextWake, 'now'> | null = null;
  private pollAt = 0;
  private wakes = 0;
  /** Turns in a row that found nothing to do though something was due: others are at it, or rows are locked. */
  private fruitless = 0;
  /**
   * A call that hands out runs failed without an answer, so until then (monotonic) there may be runs that the storage thinks are ours;
   * null: there is no doubt.
   */
  private doubtUntil: number | null = null;

  constructor(
    private readonly session: WorkerSession,
    private readonly parts: LoopParts,
  ) {
    this.alarm = new Alarm(parts.clock);
    this.firer = new Firer(parts.storage, parts.time, parts.events, parts.calendars);
  }

  /** Works until the session is over. Never rejects. */
  async run(): Promise<void> {
    while (this.session.active) {
      await this.parts.calls.repeat(
        'work',
        () => this.turn(),
        () => this.session.active,
      );
    }
  }

  /** Something has changed; without details: look again. */
  wake(wake: Wake = { kind: 'change' }): void {
    this.wakes++;
    if (wake.kind === 'due' && this.outlook !== null) {
      this.outlook.cursorAt = earlier(this.outlook.cursorAt, wake.at);
      this.outlook.runAt = earlier(this.outlook.runAt, wake.at);
    } else {
      this.outlook = null;
    }
    this.alarm.wake();
  }

  /** There is room for one more run, or the session is over. */
  nudge(): void {
    this.alarm.wake();
  }

  private async turn(): Promise<void> {
    if (this.doubtUntil !== null) await this.giveBackUnknown(this.doubtUntil);
    const outlook = this.outlook ?? (await this.look());
    const now = this.parts.time.now();
    const isDue = (at: number | null): boolean => at !== null && at <= now;
    const fireDue = isDue(outlook.cursorAt);
    const claimDue = isDue(outlook.runAt) && this.session.room > 0;
    const leaseDue = isDue(outlook.leaseEndsAt);
    if (!fireDue && !claimDue && !leaseDue) return this.sleep(outlook, now);
    if (!this.parts.trusted()) return this.alarm.sleep(this.parts.pollMs);

    this.outlook = null;
    const released = leaseDue ? await this.releaseLost() : 0;
    const [cursors, claimed] = await both(
      fireDue ? this.firer.due(this.session.capability) : [],
      claimDue ? this.claim() : 0,
    );
    const fired = cursors.length > 0 ? await this.fire(cursors) : 0;
    if (released + claimed + fired > 0) this.fruitless = 0;
    else await this.pauseFruitless();
  }

  private async look(): Promise<Omit<NextWake, 'now'>> {
    const { storage, time, clock, pollMs, random } = this.parts;
    const wakes = this.wakes;
    const next = await storage.nextWakeAt(this.session.capability);
    time.observe(next.now);
    this.pollAt = clock.monotonic() + pollMs * (0.8 + random() * 0.4);
    const outlook = { cursorAt: next.cursorAt, runAt: next.runAt, leaseEndsAt: next.leaseEndsAt };
    // What a wake tells of meanwhile may be missing in the answer, so it only serves for this turn.
    if (wakes === this.wakes) this.outlook = outlook;
    return outlook;
  }

  private async sleep(outlook: Omit<NextWake, 'now'>, now: number): Promise<void> {
    this.fruitless = 0;
    const untilPoll = this.pollAt - this.parts.clock.monotonic();
    // Without room a due run is no reason to wake up; the end of a handler is.
    const runAt = this.session.room > 0 ? outlook.runAt : null;
    const next = earlier(earlier(outlook.cursorAt, runAt), outlook.leaseEndsAt);
    if (untilPoll <= 0) this.outlook = null;
    else await this.alarm.sleep(Math.min(untilPoll, next === null ? Infinity : next - now));
  }

  /** Somebody else is at what is due here: waits a little longer each time, so as not to spin. */
  private async pauseFruitless(): Promise<void> {
    const pauseMs = Math.min(5 * 2 ** Math.min(this.fruitless, 10), longestFruitlessPauseMs);
    this.fruitless++;
    if (this.fruitless > 1) await this.alarm.sleep(pauseMs);
  }

  private async fire(cursors: readonly DueCursor[]): Promise<number> {
    const { capability, room } = this.session;
    const { moved, runs } = await this.certain(() => this.firer.fire(capability, cursors, room));
    await this.begin(runs);
    return moved;
  }

  private async claim(): Promise<number> {
    const { storage, time } = this.parts;
    const limit = this.session.room;
    const result = await this.certain(() => storage.claim(this.session.capability, limit));
    time.observe(result.now);
    await this.begin(result.runs);
    return result.runs.length;
  }

  private async begin(runs: readonly ClaimedRun[]): Promise<void> {
    const refused = this.session.begin(runs);
    if (refused.length > 0) await this.certain(() => this.parts.storage.giveBack(refused));
  }

  private async releaseLost(): Promise<number> {
    const result = await this.parts.storage.releaseLost();
    this.parts.time.observe(result.now);
    const ended = result.runs.filter((run) => run.verdict !== null).length;
    const lost = result.runs.filter((run) => run.verdict === 'lost');
    this.parts.onGaveUp(lost.map(({ namespace, jobId: id }) => ({ namespace, id })));
    if (result.workers.length > 0) {
      this.parts.events.emit('workers.released', {
        workers: result.workers,
        rerun: result.runs.length - ended,
        ended,
      });
    }
    return result.workers.length;
  }

  /** Calls something that hands out runs or takes them back; a failure leaves it open whether it did. */
  private async certain<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      this.doubtUntil = this.parts.clock.monotonic() + lateEffectMs;
      throw error;
    }
  }

  private async giveBackUnknown(until: number): Promise<void> {
    const isLast = this.parts.clock.monotonic() >= until;
    const held = await this.parts.storage.heldBy(this.session.workerId);
    const unknown = held.filter((run) => !this.session.holds(run));
    if (unknown.length > 0) await this.parts.storage.giveBack(unknown);
    if (isLast && this.doubtUntil === until) this.doubtUntil = null;
  }
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

/** Waits for both, also when one fails, so that no call is under way when the loop goes on. */
async function both<A, B>(a: A | Promise<A>, b: B | Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
