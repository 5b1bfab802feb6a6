import type { CancelTimer, Clock } from '../ports/clock.js';
import type { Wake } from '../ports/wake.signal.js';

/**
 * After the last call: most transactions are committed by one of the first, the poll finds what the others did. Each is about twice as late as
 * the one before, so that a commit waits no longer than about the time that the transaction took.
 */
const delaysMs = [20, 50, 100, 200, 500] as const;

/**
 * Looks again for what a transaction of somebody else may have committed by now: nobody tells when that happens. One timer for the whole
 * process, however many transactions there are.
 */
export class LookAgain {
  private planned: { at: number; cancel: CancelTimer } | null = null;
  private lastCallAt = 0;
  private cancels = false;

  constructor(
    private readonly clock: Clock,
    private readonly look: (wake: Wake) => void,
  ) {}

  /** Something was done in a transaction that is not committed yet. A look that is planned comes no later for it. */
  begin(kind: Wake['kind']): void {
    const now = this.clock.monotonic();
    this.lastCallAt = now;
    this.cancels ||= kind === 'cancel';
    if (this.planned === null || this.planned.at > now + delaysMs[0]) this.plan(now + delaysMs[0]);
  }

  stop(): void {
    this.planned?.cancel();
    this.planned = null;
    this.cancels = false;
  }

  private plan(at: number): void {
    this.planned?.cancel();
    const cancel = this.clock.setTimer(at - this.clock.monotonic(), () => {
      this.planned = null;
      try {
        this.look({ kind: 'change' });
        if (this.cancels) this.look({ kind: 'cancel' });
      } finally {
        this.goOn();
      }
    });
    this.planned = { at, cancel };
  }

  private goOn(): void {
    const passedMs = this.clock.monotonic() - this.lastCallAt;
    // A timer may come a moment early.
    const nextMs = delaysMs.find((delayMs) => delayMs > passedMs + 1);
    if (nextMs === undefined) this.stop();
    else this.plan(this.lastCallAt + nextMs);
  }
}
