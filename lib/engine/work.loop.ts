import { AsyncResource } from 'node:async_hooks';
import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import type { JobRef } from '../model/job.js';
import type {
  NextWake,
  PauseEndPlans,
  Settlement,
  SettleResult,
  StorageAdapter,
} from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import type { Calendars } from '../model/trigger.js';
import { tellAnswer } from './answers.js';
import { Alarm } from './alarm.js';
import { ClaimsBeside } from './claims.beside.js';
import { FailedSteps } from './failed.steps.js';
import { Firer } from './firer.js';
import { Lead } from './lead.js';
import { LostRuns } from './lost.runs.js';
import { PauseEnds } from './pause.ends.js';
import type { ReadAhead } from './read.ahead.js';
import { RunIntake, type Done } from './run.intake.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';
import type { WorkerSession } from './worker.session.js';

const longestFruitlessPauseMs = 1_000;
/** So long at least, once it has grown. */
const shortestFullPauseMs = 100;
/** How long a worker that is always beaten to the runs it is told of leaves them to the others first. */
const longestYieldMs = 50;

/** What a loop needs of its engine. */
export interface LoopParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  calls: StorageCalls;
  random: () => number;
  pollMs: number;
  lookAheadMs: number;
  calendars: Calendars;
  app: string;
  /** Where jobs go on whose pauses have come to their end; absent: none is ended. */
  pauseEnds?: PauseEndPlans | undefined;
  /** Whether the lease is trusted, so that work may begin. */
  trusted: () => boolean;
  /** Called with the jobs of runs that have ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
}

/**
 * The loop of one session: sleep, fire, claim. It sleeps until the earliest of the next due cursor, the next due run, the end of another
 * worker's lease (whose runs are taken back beside the loop), the end of a pause and the poll, or until woken. What it knows of the future is its outlook; null means that it has to look.
 *
 * What needs the schedules may have to wait for somebody else's lock on them. After a moment claims go on beside it: see `ClaimsBeside`.
 *
 * Cursors are read a moment before they are due, and fired, like runs are claimed, as long before their instant as such statements take, so that at the instant nothing but a
 * timer is between it and the handlers: see `Lead` and `EarlyRuns`.
 *
 * All workers are told of a new run, and one gets it. Those that were too late several times come a moment later the next time, so that what they cost is
 * bounded, however many they are and however often they are told; who has got a run comes at once again.
 *
 * Losing a wake or a wrong outlook costs at most one poll interval; every decision is made by the storage.
 */
export class WorkLoop {
  private readonly alarm: Alarm;
  private readonly firer: Firer;
  private readonly intake: RunIntake;
  private readonly lostRuns: LostRuns;
  private readonly pauseEnds: PauseEnds;
  private readonly beside: ClaimsBeside;
  private readonly firingLead: Lead;
  private readonly claimLead: Lead;
  /** How many runs, born before their instant, may have to be claimed at it. */
  private foreseen = 0;
  private readonly failed = new FailedSteps();
  private outlook: Omit<NextWake, 'now'> | null = null;
  /** Null: they have to be read when the next one is near. */
  private ahead: ReadAhead | null = null;
  /** When to claim what it was told to be due; the outlook need not know of it, as one claim finds all that is due. */
  private toldRunAt: number | null = null;
  private pollAt = 0;
  /** When it last went on (monotonic). */
  turnedAt: number;
  private wakes = 0;
  /** Turns in a row that found nothing to do though something was due: others are at it, or rows are locked. */
  private fruitless = 0;
  /** Claims in a row of what it was told of that came too late. */
  private beaten = 0;
  /** The work before has failed. */
  private isRecovering = false;
  /** What begins by the end of another run must not be part of that one's async context. */
  private readonly scope = new AsyncResource('ChronisWorkLoop');

  constructor(
    private readonly session: WorkerSession,
    private readonly parts: LoopParts,
  ) {
    this.alarm = new Alarm(parts.clock);
    this.turnedAt = parts.clock.monotonic();
    this.firingLead = new Lead(parts.lookAheadMs);
    this.claimLead = new Lead(parts.lookAheadMs);
    this.firer = new Firer(parts, this.firingLead);
    const { firingLead, claimLead } = this;
    const onFound = (): void => this.lookAgain();
    this.intake = new RunIntake(session, this.firer, this.alarm, {
      ...parts,
      firingLead,
      claimLead,
      onFound,
    });
    this.lostRuns = new LostRuns({
      ...parts,
      isNeeded: () => session.active,
      onReleased: () => this.lookAgain(),
    });
    this.pauseEnds = new PauseEnds({
      ...parts,
      isNeeded: () => session.active,
      onEnded: () => this.lookAgain(),
    });
    this.beside = new ClaimsBeside({
      ...parts,
      isNeeded: () => session.active,
      claim: () => this.claimBeside(),
    });
  }

  /** Works until the session is over. Never rejects. */
  async run(): Promise<void> {
    while (this.session.active) {
      await this.parts.calls.repeat(
        'work',
        () => this.turns(),
        () => this.session.active,
        () => !this.failed.isAny,
      );
    }
    await Promise.all([this.lostRuns.stop(), this.pauseEnds.stop(), this.beside.stop(), this.intake.stop()]);
  }

  /** Something has changed; without details: look again. */
  wake(wake: Wake = { kind: 'change' }): void {
    const now = this.parts.time.now();
    if (wake.kind === 'due' && wake.what === 'run' && wake.at <= now) {
      this.toldRunAt = earlier(this.toldRunAt, now + this.yieldMs());
      return this.rouse();
    }
    this.wakes++;
    if (wake.kind !== 'due') {
      this.forget();
    } else {
      const { outlook } = this;
      if (wake.what !== 'run') {
        // What is due already is found by the look after the next claim, which need not wait for another read.
        if (wake.at > now && this.ahead?.covers(wake.at)) this.ahead = null;
        if (outlook !== null) outlook.cursorAt = earlier(outlook.cursorAt, wake.at);
      }
      if (wake.what !== 'cursor' && outlook !== null) outlook.runAt = earlier(outlook.runAt, wake.at);
    }
    this.rouse();
  }

  /** Ends steps of workflows. What they set off begins here at once, if there is room and nothing else is due that would have come before it. */
  async settleSteps(settlements: readonly Settlement[]): Promise<SettleResult> {
    const { storage } = this.parts;
    const room = this.isCaughtUp ? Math.ceil(this.intake.room / 2) : 0;
    const result = await (room === 0
      ? storage.settle(settlements)
      : this.scope.runInAsyncScope(() => this.intake.settleSteps(settlements, room)));
    const { bornAt } = result;
    if (bornAt === undefined) this.wake();
    else if (bornAt !== null) this.wake({ kind: 'due', what: 'run', at: bornAt });
    return result;
  }

  /** Whether it knows of nothing that is due and nobody has claimed. */
  private get isCaughtUp(): boolean {
    const { session, intake, toldRunAt } = this;
    if (!session.active || session.isIsolating || intake.isBehind || toldRunAt !== null) return false;
    return this.parts.trusted();
  }

  /** Has the runs of dead workers taken back, whether or not some are known to be dead. */
  checkLeases(): void {
    this.lostRuns.check();
  }

  /** There is room for one more run, or the session is over. */
  nudge(): void {
    this.rouse();
  }

  private rouse(): void {
    this.alarm.wake();
    this.beside.wake();
  }

  private forget(): void {
    this.outlook = null;
    this.ahead = null;
  }

  /** What was read meanwhile may be from before, so it only serves for this turn. */
  private lookAgain(): void {
    this.wakes++;
    this.outlook = null;
    this.rouse();
  }

  /** Ends as the session does, or once after a failure: that it gets through again is told by its end. Each turn of its own would cost every wake some rounds of promises. */
  private async turns(): Promise<void> {
    try {
      do {
        await this.work();
        if (!this.failed.isAny) this.parts.calls.outages.answered('work');
      } while (this.session.active && !this.isRecovering);
      this.isRecovering = false;
    } catch (error) {
      this.isRecovering = true;
      this.forget();
      throw error;
    }
  }

  private async work(): Promise<void> {
    const { time, clock, pollMs, lookAheadMs, trusted } = this.parts;
    this.intake.clearDoubt();
    this.turnedAt = clock.monotonic();
    if (this.turnedAt >= this.pollAt) this.outlook = null;
    const outlook = this.outlook ?? (await this.beside.during(this.look()));
    const isBy = (now: number, at: number | null): boolean => at !== null && at <= now;
    const now = time.now();
    const scheduleNow = time.scheduleNow();
    const isDue = (at: number | null): boolean => isBy(now, at);
    const isCursorDue = isBy(scheduleNow, outlook.cursorAt);
    const readDue =
      this.ahead === null && outlook.cursorAt !== null && isBy(scheduleNow, outlook.cursorAt - lookAheadMs);
    const fireDue = this.ahead !== null && isBy(scheduleNow, this.ahead.fireAt);
    const isRunForeseen = outlook.runAt !== null && isDue(outlook.runAt - this.claimLeadMs);
    if (this.intake.room === 0) this.failed.isNeedless('claim');
    const claimDue =
      (isRunForeseen || isDue(this.toldRunAt) || this.failed.has('claim')) && this.intake.room > 0;
    const leaseDue = isBy(now - time.earlyMs, outlook.leaseEndsAt);
    const pauseEndDue = isBy(now - time.earlyMs, outlook.pauseEndsAt ?? null);
    // One that is due and was not there when they were read has to be looked for.
    const isUnread = isCursorDue && !readDue && outlook.cursorAt !== this.ahead?.nextAt;
    const isAnyDue = isCursorDue || fireDue || claimDue;
    if (!isAnyDue && !readDue && !leaseDue && !pauseEndDue) return this.sleep(outlook);
    if (!trusted()) return this.alarm.sleep(pollMs);

    const wakes = this.wakes;
    if (leaseDue) {
      this.lostRuns.check(outlook.leaseEndsAt);
      outlook.leaseEndsAt = null;
    }
    if (pauseEndDue) {
      this.pauseEnds.check();
      outlook.pauseEndsAt = null;
    }
    // Neither keeps the other from its half of the room.
    const share = fireDue ? Math.ceil(this.intake.room / 2) : this.intake.room;
    const [claim, first] = await both(
      claimDue ? this.claim(share, isRunForeseen) : nothing,
      this.beside.during(readDue ? this.readAhead() : this.fireDue()),
    );
    const fired = readDue ? await this.beside.during(this.fireDue()) : first;
    // What a wake tells of meanwhile may be missing in what was read, so it only serves for this turn.
    const isTold = wakes !== this.wakes;
    if (readDue && isTold) this.ahead = null;
    const nextCursorAt = this.ahead && earlier(this.ahead.nextAt, this.firer.comesBackAt);
    if (nextCursorAt !== null) outlook.cursorAt = nextCursorAt;
    if (isUnread || isTold || !claim.isKnown || !fired.isKnown) this.outlook = null;
    if (claim.count + fired.count > 0) this.fruitless = 0;
    else if (isAnyDue) await this.pauseFruitless();
  }

  private async look(): Promise<Omit<NextWake, 'now'>> {
    const { storage, time, clock, pollMs, lookAheadMs, random } = this.parts;
    const wakes = this.wakes;
    const askedAt = clock.monotonic();
    const next = await storage.nextWakeAt(this.session.capability);
    tellAnswer(this.parts, 'look', askedAt);
    for (const lead of [this.firingLead, this.claimLead]) lead.guess(clock.monotonic() - askedAt);
    time.observe(next.now, askedAt);
    if (next.cursorAt === null || next.cursorAt - lookAheadMs > time.scheduleNow())
      this.failed.isNeedless('fire');
    this.pollAt = clock.monotonic() + pollMs * (0.8 + random() * 0.4);
    const { now: _now, ...outlook } = next;
    this.intake.isBehind = next.runAt !== null && next.runAt <= next.now;
    if (this.ahead?.agreesWith(next.cursorAt) === false) this.ahead = null;
    // What a wake tells of meanwhile may be missing in the answer, so it only serves for this turn.
    if (wakes === this.wakes) this.outlook = outlook;
    return outlook;
  }

  private async sleep(outlook: Omit<NextWake, 'now'>): Promise<void> {
    const { time, clock, lookAheadMs, calls } = this.parts;
    // The turn ends with the sleep, which may be long.
    if (!this.failed.isAny) calls.outages.answered('work');
    this.fruitless = 0;
    const untilPoll = this.pollAt - clock.monotonic();
    // Without room a due run is no reason to wake up; the end of a handler is.
    const foreseenAt = outlook.runAt === null ? null : outlook.runAt - this.claimLeadMs;
    const runAt = this.intake.room > 0 ? earlier(foreseenAt, this.toldRunAt) : null;
    const readAt =
      this.ahead === null && outlook.cursorAt !== null ? outlook.cursorAt - lookAheadMs : outlook.cursorAt;
    const cursorAt = earlier(readAt, this.ahead?.fireAt ?? null);
    const endsAt = earlier(outlook.leaseEndsAt, outlook.pauseEndsAt ?? null);
    const next = earlier(runAt, after(endsAt, time.earlyMs));
    const { inMs } = this.session.isolationLook;
    await this.alarm.sleep(Math.min(untilPoll, inMs, this.untilEither(cursorAt, next)));
  }

  /**
   * Somebody else is at what is due here, or has locked it: waits a little longer each time, so as not to spin, but not beyond what comes next, nor for so long that
   * cursors would be read only after their instants: the others are not to be late because of that one.
   */
  private async pauseFruitless(): Promise<void> {
    const { time, lookAheadMs } = this.parts;
    const longestMs = Math.min(longestFruitlessPauseMs, Math.max(lookAheadMs / 2, shortestFullPauseMs));
    const pauseMs = Math.min(5 * 2 ** Math.min(this.fruitless, 10), longestMs);
    this.fruitless++;
    if (this.fruitless === 1) return;
    const now = time.now();
    const runAt = this.outlook?.runAt ?? null;
    const next = runAt !== null && runAt > now ? runAt : null;
    const nextInMs = Math.max(this.untilEither(this.ahead?.fireAt ?? null, next), 1);
    const { inMs } = this.session.isolationLook;
    await this.alarm.sleep(Math.min(pauseMs, inMs, nextInMs));
  }

  /** Milliseconds until a time of schedules, or one of the storage. */
  private untilEither(scheduledAt: number | null, at: number | null): number {
    const { time } = this.parts;
    return Math.min(
      scheduledAt === null ? Infinity : time.untilScheduled(scheduledAt),
      at === null ? Infinity : time.until(at),
    );
  }

  /** `isForeseen`: the outlook has something due, and does not know what comes after it. */
  private async claim(limit: number, isForeseen: boolean): Promise<Done> {
    const told = this.toldRunAt;
    this.toldRunAt = null;
    const aheadMs = this.claimLeadMs;
    this.foreseen = 0;
    const claim = await this.failed.during('claim', this.intake.claim(limit, aheadMs));
    // As many as there was room for: others may be left.
    if (claim.isKnown) this.toldRunAt = earlier(this.toldRunAt, told);
    if (claim.count > 0) this.beaten = 0;
    else if (!isForeseen) this.beaten++;
    return isForeseen ? claim : { ...claim, isKnown: true };
  }

  /** What the loop has read may be from before, so it looks again when it goes on. */
  private async claimBeside(): Promise<boolean> {
    const { room } = this.intake;
    this.wakes++;
    this.outlook = null;
    if (room === 0 || !this.parts.trusted()) return false;
    const { count, isKnown } = await this.claim(room, true);
    return isKnown && count > 0;
  }

  private get claimLeadMs(): number {
    const leadMs = this.claimLead.of(Math.max(Math.min(this.foreseen, this.intake.room), 1));
    return Math.max(leadMs, this.session.isolationLook.aheadMs);
  }

  private yieldMs(): number {
    if (this.beaten < 3) return 0;
    return Math.min(2 ** this.beaten, longestYieldMs) * (0.5 + this.parts.random() / 2);
  }

  private async readAhead(): Promise<Done> {
    this.ahead = await this.firer.read(this.session.capability, this.parts.lookAheadMs);
    if (!this.firer.isWithheld) this.failed.isNeedless('fire');
    return nothing;
  }

  private async fireDue(): Promise<Done> {
    const due = this.ahead?.take(this.parts.time.scheduleNow()) ?? [];
    if (due.length === 0) return nothing;
    const { count, isKnown, unclaimed, nextAt } = await this.failed.during('fire', this.intake.fire(due));
    this.foreseen += unclaimed;
    if (unclaimed > 0) this.intake.isBehind = true;
    // The next cursor is known as long as some are left, unless one of these comes before it.
    const isNextKnown = this.ahead?.nextAt != null && !this.ahead.covers(nextAt);
    if (!isNextKnown) this.ahead = null;
    return { count, isKnown: isKnown && isNextKnown };
  }
}

const nothing: Done = { count: 0, isKnown: true };

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function after(at: number | null, ms: number): number | null {
  return at === null ? null : at + ms;
}

/** Waits for both, also when one fails, so that no call is under way when the loop goes on. */
async function both<A, B>(a: A | Promise<A>, b: B | Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
