import { Clock, type CancelTimer } from './clock.js';

/** setTimeout fires at once for longer delays. */
const longestTimerMs = 2_147_483_647;
/** By how much, for they count whole milliseconds. */
const timerLateMs = 1;

// As they are when this is loaded: a test's fake timers, or a handler that replaces them for a while, must not bend the time of all other jobs.
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = globalThis;
const wallNow = Date.now;
const monotonicNow = performance.now.bind(performance);

/** The real time. */
export class SystemClock extends Clock {
  now(): number {
    return wallNow();
  }

  monotonic(): number {
    return monotonicNow();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    if (delayMs > longestTimerMs) return this.setLongTimer(delayMs, callback);
    const timer = setTimeout(callback, Math.max(delayMs, 0));
    return () => clearTimeout(timer);
  }

  /** Timers of Node are late: this one is set a little short, and the rest is waited for turn by turn of the event loop. */
  override setExactTimer(delayMs: number, callback: () => void): CancelTimer {
    const at = this.monotonic() + delayMs;
    let cancelRest: CancelTimer;
    const nextTurn = (): void => {
      const turn = setImmediate(() => (this.monotonic() < at ? nextTurn() : callback()));
      cancelRest = () => clearImmediate(turn);
    };
    const shortMs = Math.floor(delayMs) - timerLateMs;
    if (shortMs < 1) nextTurn();
    else cancelRest = this.setTimer(shortMs, nextTurn);
    return () => cancelRest();
  }

  /** Set anew until its time has come: no timer of Node is longer than 24.8 days. */
  private setLongTimer(delayMs: number, callback: () => void): CancelTimer {
    const at = this.monotonic() + delayMs;
    const rest = (): void => {
      cancelRest = this.setTimer(at - this.monotonic(), callback);
    };
    let cancelRest = this.setTimer(longestTimerMs, rest);
    return () => cancelRest();
  }
}
