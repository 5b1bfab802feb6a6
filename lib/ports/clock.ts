/** Stops a timer; harmless when it has fired. */
export type CancelTimer = () => void;

/**
 * The only source of time in Chronis. `SystemClock` is the real one; tests use `ManualClock`.
 *
 * Wall time may jump; `monotonic` never goes back and is what waiting is measured with. What is due is decided by the
 * clock of the storage, not by this one. @publicApi
 */
export abstract class Clock {
  /** Wall time in epoch milliseconds. */
  abstract now(): number;
  /** Milliseconds from an arbitrary start, never going back; fractions allowed. */
  abstract monotonic(): number;
  /** Calls `callback` once after `delayMs` (any finite number; values below 0 mean 0). */
  abstract setTimer(delayMs: number, callback: () => void): CancelTimer;
  /** The same, not before the time and as soon after it as possible, which may cost up to a millisecond of work. By default a timer that is rounded up. */
  setExactTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.setTimer(Math.ceil(delayMs), callback);
  }
}
