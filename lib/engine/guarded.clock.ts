import { Clock, type CancelTimer } from '../ports/clock.js';
import { SystemClock } from '../ports/system.clock.js';

/** Told instead of a timer that no clock can set. */
const insteadOfNonsenseMs = 1_000;

/**
 * A clock that cannot end what waits by it: where the given one throws, or gives what is no number, the real one helps out; and what a timer calls is
 * told when it throws. Both would else end a loop, or the process.
 */
export class GuardedClock extends Clock {
  private readonly system = new SystemClock();
  private latest = 0;
  /** What of it fails: told once until that works again. */
  private readonly failing = new Set<keyof Clock | 'cancel'>();

  constructor(
    private readonly clock: Clock,
    /** Called with what fails. */
    private tell: (part: string, error: unknown) => void = () => undefined,
  ) {
    super();
  }

  /** The same clock, guarded if it is not yet. */
  static of(clock: Clock, tell: (part: string, error: unknown) => void): GuardedClock {
    return clock instanceof GuardedClock ? clock : new GuardedClock(clock, tell);
  }

  /** From now on tells whoever hears of it: events have a clock themselves, so they come after it. */
  tellBy(tell: (part: string, error: unknown) => void): void {
    this.tell = tell;
  }

  now(): number {
    try {
      return this.checked('now', this.clock.now());
    } catch (error) {
      this.fail('now', error);
      return this.system.now();
    }
  }

  /** Stands still while it is not known. */
  monotonic(): number {
    try {
      return (this.latest = this.checked('monotonic', this.clock.monotonic()));
    } catch (error) {
      this.fail('monotonic', error);
      return this.latest;
    }
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.set('setTimer', delayMs, callback);
  }

  override setExactTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.set('setExactTimer', delayMs, callback);
  }

  private set(method: 'setTimer' | 'setExactTimer', delayMs: number, callback: () => void): CancelTimer {
    const call = (): void => {
      try {
        callback();
      } catch (error) {
        this.tell('timer', error);
      }
    };
    try {
      if (!Number.isFinite(delayMs)) throw new TypeError(`A timer of ${delayMs} ms cannot be set.`);
      const cancel = this.clock[method](delayMs, call);
      this.failing.delete(method);
      return () => this.cancel(cancel);
    } catch (error) {
      this.fail(method, error);
      return this.system.setTimer(Number.isFinite(delayMs) ? delayMs : insteadOfNonsenseMs, call);
    }
  }

  private cancel(cancel: CancelTimer): void {
    try {
      cancel();
    } catch (error) {
      this.fail('cancel', error);
    }
  }

  private checked(method: 'now' | 'monotonic', number: number): number {
    if (!Number.isFinite(number)) throw new TypeError('The clock gives something else than a finite number.');
    if (this.failing.size > 0) this.failing.delete(method);
    return number;
  }

  private fail(method: keyof Clock | 'cancel', error: unknown): void {
    if (this.failing.has(method)) return;
    this.failing.add(method);
    this.tell('clock', error);
  }
}

/** Numbers in [0, 1), whatever the given source does. */
export function guardedRandom(
  random: () => number,
  tell: (part: string, error: unknown) => void,
): () => number {
  let failing = false;
  return () => {
    try {
      const number = random();
      if (typeof number !== 'number' || !(number >= 0 && number < 1)) {
        throw new RangeError('The source of random numbers gives something else than a number in [0, 1).');
      }
      failing = false;
      return number;
    } catch (error) {
      if (!failing) tell('random numbers', error);
      failing = true;
      return Math.random();
    }
  };
}
