import type { ChronisEvents } from '../events/chronis.events.js';
import type { Beat } from '../ports/beat.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { Renewal, StorageAdapter } from '../ports/storage.adapter.js';
import { tellAnswer } from './answers.js';
import { LoopLag } from './loop.lag.js';
import type { Outages } from './outages.js';

/** So long the storage has to tell whether the lease has outlived a sleep of the machine. */
const unansweredMs = 500;

/** Runs that go on for long; `told`: the storage knows them from now on. */
export interface LongRunning {
  runIds: string[];
  told: () => void;
}

/** What a keeper needs of its engine. */
export interface LeaseParts {
  storage: StorageAdapter;
  clock: Clock;
  events: ChronisEvents;
  outages: Outages;
  workerId: string;
  leaseMs: number;
  /** 0: no beat from outside the event loop. */
  maxBlockedMs: number;
  /** How many runs the worker has in hands: as long as there are any, each renewal asks which of them are to be cancelled. */
  running: () => number;
  /** Those that it has executed for a while and that the storage was not told of yet. */
  longRunning: () => LongRunning;
  /** The runs of steps that go on in this process though they were given up. */
  givenUp: () => readonly string[];
  /** What time it is by which it claims, where the storage's clock has leapt back and is doubted; else null. */
  reached: () => number | null;
  /** How far the wall clock is ahead of the storage's, in ms. */
  clockOffsetMs: () => number;
}

/** What the keeper tells its engine. */
export interface LeaseEars {
  /** The storage's time, with every answer, and when it was asked (monotonic). */
  onTime(storageNow: number, sentAt: number): void;
  /** Runs held by this worker that somebody asked to cancel. */
  onCancelled(runIds: string[]): void;
  /** Other sets of declarations are carried than when that of this worker was last synced. */
  onOutOfSync(): void;
  /** The lease is over, or will be before it can be renewed. Called once; the keeper is then done. */
  onLost(): void;
  /** After the machine has slept the lease holds all the same. */
  onAwake(): void;
}

/**
 * Keeps one worker's lease: one update per beat, a third of the lease apart. The lease is trusted for five sixths of its length from
 * the moment the last successful renewal was *sent*, measured by monotonic time: so handlers are told to stop before the storage lets
 * anybody else take their runs, however the wall clocks stand and however long the answer took.
 *
 * A machine that sleeps stops monotonic time, but not the storage's. So the advance of the wall clock beyond it counts as well: nothing begins until the storage was asked, which is
 * done at once, and a lease that has ended meanwhile is told by its answer, or when there is none within a moment.
 *
 * While the event loop is blocked, a beat from outside renews where the storage has one; its renewals count like those of the keeper.
 */
export class LeaseKeeper {
  private renewedAt: number;
  /** The end of the lease as the storage has told it last. */
  private toldUntil: number | null = null;
  /** The wall clock above the monotonic one, at the last renewal. */
  private wallOffset: number;
  private cancelWatch: CancelTimer | null = null;
  private outside: Beat | null = null;
  private cancelTick: CancelTimer | null = null;
  private cancelBeat: CancelTimer | null = null;
  private cancelTrust: CancelTimer | null = null;
  /** Who waits for a renewal that has not begun. */
  private waiting: (() => void)[] = [];
  private renewing = false;
  private again = false;
  private ended = false;
  /** Since when (monotonic) it waits to hear whether the lease has outlived a sleep. */
  private oversleptSince: number | null = null;
  private readonly lag: LoopLag;

  constructor(
    private readonly parts: LeaseParts,
    private readonly ears: LeaseEars,
    /** Monotonic time just before the registration. */
    registeredAt: number,
  ) {
    this.renewedAt = registeredAt;
    this.lag = new LoopLag(parts.clock);
    this.wallOffset = this.wallNow();
    this.watchTrust();
    // The storage does not know yet how late what it claims may be due, nor what this process has given up as another worker.
    const isNews = this.parts.reached() !== null || this.parts.givenUp().length > 0;
    this.nextBeat(isNews ? 0 : this.parts.leaseMs / 3);
    void this.beginOutside();
  }

  /** Whether new work may begin. Where the machine has slept, the storage is asked first. */
  mayBegin(): boolean {
    const { isOverslept } = this;
    if (isOverslept) this.oversleptSince ??= this.parts.clock.monotonic();
    else this.oversleptSince = null;
    if (isOverslept && !this.renewing) this.beat();
    this.watchSleep();
    return this.trusted && !isOverslept;
  }

  /** When the lease was last renewed (monotonic); null: it is over, or about to be. */
  get lastRenewedAt(): number | null {
    return this.trusted ? Math.max(this.renewedAt, this.outsideAt) : null;
  }

  private get trusted(): boolean {
    return !this.ended && this.parts.clock.monotonic() < this.trustedUntil;
  }

  /** Whether the lease may have ended while the machine slept, or somebody has set its clock. */
  private get isOverslept(): boolean {
    const sleptMs = this.wallNow() - this.wallOffset;
    return sleptMs > 0 && this.parts.clock.monotonic() + sleptMs >= this.trustedUntil;
  }

  private wallNow(): number {
    return this.parts.clock.now() - this.parts.clock.monotonic();
  }

  /** Handlers that go on have to know soon; while there are none, what is about to begin asks. */
  private watchSleep(): void {
    if (this.ended) return;
    this.cancelWatch ??= this.parts.clock.setTimer(Math.min(this.parts.leaseMs / 6, 1_000), () => {
      this.cancelWatch = null;
      if (this.parts.running() === 0) return;
      const since = this.oversleptSince;
      this.mayBegin();
      // Nobody answers, and by the clocks of this machine the lease is over: handlers are not left to find out by themselves.
      if (since !== null && this.isOverslept && this.parts.clock.monotonic() - since >= unansweredMs)
        this.lose();
    });
  }

  /** Renews at once, for instance to learn of cancel requests. */
  beat(): void {
    if (this.ended) return;
    if (this.renewing) this.again = true;
    else
      this.renew().catch((error: unknown) => {
        this.parts.events.emit('engine.failed', { part: 'lease', error });
        // The beats must not end by it, or the lease would.
        if (!this.ended) this.nextBeat(this.retryInMs);
      });
  }

  /** Renews at once. Resolves when the storage knows what is to be told by now, or the lease is over. */
  told(): Promise<void> {
    if (this.ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.beat();
    });
  }

  stop(): void {
    this.ended = true;
    for (const resolve of this.waiting.splice(0)) resolve();
    this.cancelBeat?.();
    this.cancelTrust?.();
    this.cancelTick?.();
    this.cancelWatch?.();
    void this.outside?.stop();
  }

  private get trustedUntil(): number {
    return Math.max(this.renewedAt, this.outsideAt) + (this.parts.leaseMs * 5) / 6;
  }

  /** When the beat from outside has last renewed (monotonic). */
  private get outsideAt(): number {
    return this.parts.clock.monotonic() - (this.outside?.renewedMsAgo() ?? Infinity);
  }

  /** Until when a renewal from outside may have taken effect (monotonic). */
  private get outsideUntil(): number {
    const { outside } = this;
    return this.parts.clock.monotonic() - (outside?.underWayMsAgo?.() ?? outside?.renewedMsAgo() ?? Infinity);
  }

  /** Never rejects. */
  private async beginOutside(): Promise<void> {
    const { storage, events, workerId, leaseMs, maxBlockedMs } = this.parts;
    if (maxBlockedMs === 0) return;
    try {
      const beat = (await storage.startBeat?.({ workerId, leaseMs, maxBlockedMs })) ?? null;
      if (this.ended) return await beat?.stop();
      this.outside = beat;
      if (beat !== null) this.tick(beat);
    } catch (error) {
      if (!this.ended) events.emit('beat.unavailable', { error });
    }
  }

  private tick(beat: Beat): void {
    const { clock, leaseMs } = this.parts;
    // First: a tick that throws must not be the last.
    this.cancelTick = this.lag.setTimer(Math.min(leaseMs / 6, 1_000), () => this.tick(beat));
    beat.tick(clock.monotonic() - this.renewedAt);
  }

  private nextBeat(inMs: number): void {
    this.cancelBeat?.();
    this.cancelBeat = this.lag.setTimer(inMs, () => this.beat());
  }

  private watchTrust(): void {
    this.cancelTrust?.();
    this.cancelTrust = this.parts.clock.setTimer(this.trustedUntil - this.parts.clock.monotonic(), () => {
      if (!this.trusted) this.lose();
      else this.watchTrust();
    });
  }

  private lose(): void {
    if (this.ended) return;
    this.stop();
    this.ears.onLost();
  }

  private get retryInMs(): number {
    return Math.min(1_000, this.parts.leaseMs / 15);
  }

  private async renew(): Promise<void> {
    this.renewing = true;
    this.again = false;
    const sentAt = this.parts.clock.monotonic();
    const wallOffset = this.wallNow();
    const long = this.parts.longRunning();
    const waiting = this.waiting.splice(0);
    let isTold = false;
    this.parts.outages.begins('renew');
    try {
      const renewal = await this.parts.storage.renew(
        this.parts.workerId,
        this.parts.leaseMs,
        this.parts.running(),
        long.runIds,
        this.parts.reached(),
        { clockOffsetMs: this.parts.clockOffsetMs(), loopLagMs: this.lag.take() },
        this.parts.givenUp(),
      );
      isTold = true;
      if (this.ended) return;
      tellAnswer(this.parts, 'renew', sentAt);
      this.ears.onTime(renewal.now, sentAt);
      const hasGoneBack = this.hasGoneBack(renewal);
      if (hasGoneBack) this.parts.events.emit('storage.went-back', { workerId: this.parts.workerId });
      if (renewal.leaseUntil === null) return this.lose();
      long.told();
      this.renewedAt = sentAt;
      this.toldUntil = renewal.leaseUntil;
      const { isOverslept } = this;
      this.wallOffset = wallOffset;
      if (isOverslept) this.ears.onAwake();
      this.watchTrust();
      this.nextBeat(this.parts.leaseMs / 3);
      if (renewal.outOfSync || hasGoneBack) this.ears.onOutOfSync();
      if (renewal.cancelled.length > 0) this.ears.onCancelled(renewal.cancelled);
      const { outages, leaseMs } = this.parts;
      outages.answered('renew');
      if (renewal.failure === undefined) outages.answered('read news');
      else this.tellFailing('read news', renewal.failure, leaseMs / 3);
    } catch (error) {
      if (this.ended) return;
      const { retryInMs } = this;
      this.tellFailing('renew', error, retryInMs);
      this.nextBeat(retryInMs);
    } finally {
      this.parts.outages.ends('renew');
      this.renewing = false;
      if (isTold || this.ended) for (const resolve of waiting) resolve();
      else this.waiting.unshift(...waiting);
    }
    if (this.again) this.beat();
  }

  private tellFailing(operation: string, error: unknown, retryInMs: number): void {
    this.parts.events.emit('storage.failing', { operation, error, retryInMs });
  }

  /** It has lost a renewal that it had confirmed, and so all else since then. */
  private hasGoneBack({ now, stoodUntil }: Renewal): boolean {
    if (this.toldUntil === null || stoodUntil === undefined) return false;
    // What is not there may have been forgotten, but not before its end.
    if (stoodUntil === null) return now < this.toldUntil;
    // One from outside may have moved the lease back: where the storage's clock was set back, or by a moment where it began before ours and was done after it.
    return stoodUntil < this.toldUntil && this.outsideUntil <= this.renewedAt;
  }
}
