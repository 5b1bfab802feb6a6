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
}
