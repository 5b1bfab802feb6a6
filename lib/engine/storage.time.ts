import type { Clock } from '../ports/clock.js';
import { ClockOffset, type Reading } from './clock.offset.js';

/** A clock that has leapt by less is followed at once. */
const leapMs = 10_000;
/** What the clock of this machine agrees with, as closely as this, is not doubted. */
const agreedMs = 5_000;
/** What is doubted is believed after so long. */
const longestDoubtMs = 600_000;
const shortestDoubtMs = 60_000;

/** The storage's clock has leapt. `doubted`: schedules go on by the time before · `followed`: they follow it · `reverted`: it has come back meanwhile. */
export interface ClockLeap {
  /** Above 0: ahead. */
  byMs: number;
  state: 'doubted' | 'followed' | 'reverted';
}

interface Doubt {
  /** Monotonic. */
  since: number;
  byMs: number;
  offset: ClockOffset;
}

/**
 * The storage's clock as this process sees it, never ahead of it: each answer carries the storage's time, which was read
 * before the answer arrived, so `time + (monotonic since the arrival)` is a lower bound, and the highest of the last few
 * is the best one. What is due by this clock is due by the storage's.
 *
 * A clock that leaps by many seconds is wrong now, or was before. Where the local wall clock is at the new time too, or has leapt by as much, it was before (a machine that slept, a time
 * server that mended it): the new time counts at once. Else it is doubted, for ten minutes, or, where it leaps ahead by less, for as long as it does: what schedules fire goes by the time before, so that a wrong clock neither fires the
 * instants of the hours that it leaps over, which could then never be fired again, nor stops them while it is back.
 */
export class StorageTime {
  private offset = new ClockOffset();
  private doubt: Doubt | null = null;
  /** The wall clock above the monotonic one, when the time was last believed. */
  private wallOffset = 0;

  constructor(
    private readonly clock: Clock,
    private readonly onLeap: (leap: ClockLeap) => void = () => undefined,
  ) {}

  /** Notes the storage's time from an answer that has just arrived. `sentAt`: when its question was sent (monotonic). Without it neither a leap nor its end would be noticed. */
  observe(storageNow: number, sentAt: number): void {
    // Of an adapter whose answers have no time: all that goes by it would stand still.
    if (!Number.isFinite(storageNow)) return;
    const at = this.clock.monotonic();
    // What has no fraction may have been cut.
    const cutMs = Number.isInteger(storageNow) ? 1 : 0;
    const reading = { least: storageNow - at, most: storageNow + cutMs - sentAt, at };
    const byMs = this.offset.leapOf(reading);
    // An answer that took so long that it fits both says nothing of which is right.
    if (this.doubt !== null && byMs === 0 && this.doubt.offset.leapOf(reading) === 0) return;
    if (Math.abs(byMs) < leapMs) this.believe(reading);
    else this.doubtOf(reading, byMs);
  }

  /** Epoch milliseconds of the storage's clock; fractions are cut off. */
  now(): number {
    return Math.floor(this.exact);
  }

  /** The same, by which schedules go: without a leap that is doubted. */
  scheduleNow(): number {
    return Math.floor(this.believed);
  }

  /** Milliseconds until `now()` is at this time, fractions included; negative once it is past. */
  until(at: number): number {
    return Math.ceil(at) - this.exact;
  }

  /** Milliseconds until `scheduleNow()` is at this time, fractions included; negative once it is past. */
  untilScheduled(at: number): number {
    return Math.ceil(at) - this.believed;
  }

  /** How far schedules are ahead of the storage's clock, by a leap that is doubted; negative: behind. */
  get scheduleAheadMs(): number {
    return this.doubt === null ? 0 : this.offset.best! - this.doubt.offset.best!;
  }

  /** How much of what schedules bring about is not due yet for the storage, in ms; 0 or more. */
  get earlyMs(): number {
    return Math.max(this.scheduleAheadMs, 0);
  }

  /** What time it is by which schedules go, where the storage's clock has leapt back and is doubted; null: that clock tells. */
  get reached(): number | null {
    return this.earlyMs > 0 ? this.scheduleNow() : null;
  }

  /** How much is due for the storage, in ms, that is not yet for schedules; 0 or more. */
  get lateMs(): number {
    return Math.max(-this.scheduleAheadMs, 0);
  }

  /** How far the local wall clock is ahead of the storage's, negative: behind it; as little as the answers allow, as one that came late says less. */
  get localOffsetMs(): number {
    const { best } = this.offset;
    if (best === null) return 0;
    const at = this.clock.monotonic();
    const wallOffset = this.clock.now() - at;
    return Math.max(wallOffset - this.offset.mostBy(at), Math.min(wallOffset - best, 0));
  }

  /** Whether the storage's clock has reached this time for certain, also if its clock and ours have come apart since the last answer. */
  hasReached(at: number): boolean {
    return this.untilCertain(at) <= 0;
  }

  /** Milliseconds until `hasReached`. */
  untilCertain(at: number): number {
    return Math.ceil(at) - this.certain;
  }

  /** The time that the storage's clock has reached for certain: what is due by then may begin, by then or later. */
  get certain(): number {
    if (this.offset.best === null) return this.clock.now();
    const monotonic = this.clock.monotonic();
    const least = this.offset.leastBy(monotonic);
    const shown = this.doubt === null ? least : Math.max(least, this.doubt.offset.leastBy(monotonic));
    return shown + monotonic;
  }

  /** By how much the storage's clock may be ahead of `certain`; 0 or more. */
  get blurMs(): number {
    return this.offset.spreadAt(this.clock.monotonic());
  }

  private get believed(): number {
    const { best } = this.offset;
    return best === null ? this.clock.now() : best + this.clock.monotonic();
  }

  private get exact(): number {
    return this.believed + this.lateMs;
  }

  private believe(reading: Reading): void {
    this.offset.note(reading);
    this.wallOffset = this.clock.now() - reading.at;
    if (this.doubt === null) return;
    const { byMs } = this.doubt;
    this.doubt = null;
    this.onLeap({ byMs, state: 'reverted' });
  }

  private doubtOf(reading: Reading, byMs: number): void {
    const { doubt } = this;
    const isTheSame = doubt !== null && Math.abs(doubt.offset.leapOf(reading)) < leapMs;
    const next = isTheSame ? doubt : { since: reading.at, byMs, offset: new ClockOffset() };
    next.offset.note(reading);
    this.doubt = next;
    if (this.isVouchedFor(reading, byMs) || reading.at - next.since >= doubtedForMs(next.byMs)) {
      this.doubt = null;
      this.offset = next.offset;
      this.wallOffset = this.clock.now() - reading.at;
      this.onLeap({ byMs: next.byMs, state: 'followed' });
    } else if (!isTheSame) {
      this.onLeap({ byMs, state: 'doubted' });
    }
  }

  /** The clock of this machine is there too, or has leapt as far. */
  private isVouchedFor({ least, at }: Reading, byMs: number): boolean {
    const wallOffset = this.clock.now() - at;
    return (
      Math.abs(wallOffset - least) <= agreedMs || Math.abs(wallOffset - this.wallOffset - byMs) <= agreedMs
    );
  }
}

/** A machine whose clocks have all slept sees a leap ahead by that time, and is late by it for as long as it doubts. Of a wrong clock that is believed so little can be leapt over. */
function doubtedForMs(byMs: number): number {
  return byMs < 0 ? longestDoubtMs : Math.min(Math.max(byMs, shortestDoubtMs), longestDoubtMs);
}
