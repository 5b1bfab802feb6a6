import { Clock, type CancelTimer } from './clock.js';

// setTimeout fires at once for longer delays.
const longestTimerMs = 2_147_483_647;

/** The real time. */
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), longestTimerMs));
    return () => clearTimeout(timer);
  }

  /** Timers of Node are about a millisecond late: this one is set a little short, and the rest is waited for turn by turn of the event loop. */
  override setExactTimer(delayMs: number, callback: () => void): CancelTimer {
    const at = this.monotonic() + delayMs;
    let cancelRest: CancelTimer;
    const nextTurn = (): void => {
      const turn = setImmediate(() => (this.monotonic() < at ? nextTurn() : callback()));
      cancelRest = () => clearImmediate(turn);
    };
    if (delayMs < 1) nextTurn();
    else cancelRest = this.setTimer(Math.floor(delayMs), nextTurn);
    return () => cancelRest();
  }
}
