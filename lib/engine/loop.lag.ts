import type { CancelTimer, Clock } from '../ports/clock.js';

/** By how much the event loop is late: by that much at least timers come after their time. */
export class LoopLag {
  private most = 0;

  constructor(private readonly clock: Clock) {}

  /** A timer of the clock whose lateness counts. */
  setTimer(inMs: number, callback: () => void): CancelTimer {
    const dueAt = this.clock.monotonic() + Math.max(inMs, 0);
    return this.clock.setTimer(inMs, () => {
      this.most = Math.max(this.most, this.clock.monotonic() - dueAt);
      callback();
    });
  }

  /** The most in ms since this was last asked for. */
  take(): number {
    const { most } = this;
    this.most = 0;
    return most;
  }
}
