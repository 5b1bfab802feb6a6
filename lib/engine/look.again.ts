import type { CancelTimer, Clock } from '../ports/clock.js';
import type { Wake } from '../ports/wake.signal.js';

/** After the last call: most transactions are committed by the first or the second, the poll finds what the others did. */
const delaysMs = [20, 100, 500] as const;

/**
 * Looks again for what a transaction of somebody else may have committed by now: nobody tells when that happens. One timer for the whole
 * process, however many transactions there are.
 */
export class LookAgain {
  private cancelTimer: CancelTimer | null = null;
  private lastCallAt = 0;
  private cancels = false;

  constructor(
    private readonly clock: Clock,
    private readonly look: (wake: Wake) => void,
  ) {}

  /** Something was done in a transaction that is not committed yet. A look that is planned is not put off. */
  begin(kind: Wake['kind']): void {
    this.lastCallAt = this.clock.monotonic();
    this.cancels ||= kind === 'cancel';
    if (this.cancelTimer === null) this.plan();
  }

  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.cancels = false;
  }

  private plan(): void {
    const passedMs = this.clock.monotonic() - this.lastCallAt;
    // A timer may come a moment early.
    const nextMs = delaysMs.find((delayMs) => delayMs > passedMs + 1);
    if (nextMs === undefined) return this.stop();
    this.cancelTimer = this.clock.setTimer(nextMs - passedMs, () => {
      this.look({ kind: 'change' });
      if (this.cancels) this.look({ kind: 'cancel' });
      this.plan();
    });
  }
}
