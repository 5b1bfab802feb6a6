import { setImmediate } from 'node:timers';
import { Clock, parseAt, type CancelTimer, type InstantInput } from '../index.js';

interface Timer {
  at: number;
  order: number;
  callback: () => void;
}

/**
 * A clock that stands still until it is told to move: for tests that decide what time it is. Timers fire in order of their
 * time, and promises settle between them, so that what one timer sets off is done before the next one fires.
 *
 * @example
 * const clock = new ManualClock('2026-01-01T00:00:00Z');
 * await clock.advanceBy(60_000);
 * @publicApi
 */
export class ManualClock extends Clock {
  private wallMs: number;
  private monotonicMs = 0;
  private order = 0;
  private readonly timers = new Set<Timer>();

  /**
   * `startAt`: a Date, epoch milliseconds, or text as `at` takes it, in UTC where it names neither offset nor zone. Throws InvalidScheduleError.
   * @default 2026-01-01T00:00:00Z
   */
  constructor(startAt: InstantInput = '2026-01-01T00:00:00Z') {
    super();
    this.wallMs = testInstant(startAt, 'startAt');
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    if (!Number.isFinite(delayMs)) throw new RangeError(`delayMs must be a finite number, not ${delayMs}.`);
    const timer = { at: onGrid(this.monotonicMs + Math.max(delayMs, 0)), order: this.order++, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.timers.size;
  }

  /** Milliseconds until the next timer fires; null: none waits. */
  get nextTimerInMs(): number | null {
    const next = this.earliest();
    return next && next.at - this.monotonicMs;
  }

  /** Lets `ms` milliseconds pass. Rejects with what a timer's callback throws; the timers after it wait on. */
  async advanceBy(ms: number): Promise<void> {
    if (!(ms >= 0))
      throw new RangeError(`Time does not go back: advanceBy(${ms}). Use jumpWall() for the wall clock.`);
    const until = onGrid(this.monotonicMs + ms);
    await settlePromises();
    for (let next = this.earliest(); next && next.at <= until; next = this.earliest()) {
      this.moveTo(next.at);
      this.timers.delete(next);
      next.callback();
      await settlePromises();
    }
    this.moveTo(until);
  }

  /** Lets time pass until the wall clock shows `date`, given as `startAt` is. Rejects with InvalidScheduleError, RangeError (past). */
  async advanceTo(date: InstantInput): Promise<void> {
    await this.advanceBy(testInstant(date, 'date') - this.wallMs);
  }

  /** Sets the wall clock forward or back, as an operator or a time server does: monotonic time and timers take no notice. */
  jumpWall(ms: number): void {
    this.wallMs += ms;
  }

  private moveTo(monotonicMs: number): void {
    const passed = Math.max(monotonicMs - this.monotonicMs, 0);
    this.monotonicMs += passed;
    this.wallMs += passed;
  }

  private earliest(): Timer | null {
    let earliest: Timer | null = null;
    for (const timer of this.timers) {
      if (!earliest || timer.at < earliest.at || (timer.at === earliest.at && timer.order < earliest.order)) {
        earliest = timer;
      }
    }
    return earliest;
  }
}

/** The one reading of times, whatever zone the process is in: tests say the same everywhere. */
export function testInstant(given: InstantInput, field: string): number {
  return parseAt(given, 'UTC', field).getTime();
}

/** Resolves when all promises that can settle without time or input have done so. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Parts of a millisecond that a date can be told in: with others the wall clock and the monotonic one would drift apart as they are rounded. */
const gridMs = 2 ** -12;

function onGrid(ms: number): number {
  return Math.ceil(ms / gridMs) * gridMs;
}
