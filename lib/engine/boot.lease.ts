import type { CancelTimer, Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** Keeps the lease of a worker that does not work yet: its boot may have to wait for that of many others. */
export class BootLease {
  private cancelTimer: CancelTimer | null = null;
  private stopped = false;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly workerId: string,
    private readonly leaseMs: number,
    /** Monotonic time from which the lease is known to run. */
    private renewedAt: number,
  ) {
    this.plan();
  }

  /** Returns the monotonic time from which the lease is known to run. */
  stop(): number {
    this.stopped = true;
    this.cancelTimer?.();
    return this.renewedAt;
  }

  private plan(): void {
    this.cancelTimer = this.clock.setTimer(this.leaseMs / 3, () => void this.renew());
  }

  /** Never rejects: the next one comes soon enough, and if none succeeds the boot tells what is wrong. */
  private async renew(): Promise<void> {
    const sentAt = this.clock.monotonic();
    try {
      const { leaseUntil } = await this.storage.renew(this.workerId, this.leaseMs, 0);
      if (leaseUntil !== null) this.renewedAt = sentAt;
    } catch {
      // See above.
    }
    if (!this.stopped) this.plan();
  }
}
