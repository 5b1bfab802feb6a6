import { StorageTime } from '../engine/storage.time.js';
import type { Clock } from '../ports/clock.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

const trustedForMs = 60_000;

/** The storage's time for those who create jobs, also in a process that runs none: `in: '5s'` must not depend on the local clock. */
export class StorageNow {
  private readonly time: StorageTime;
  private askedAt: number | null = null;
  private asking: Promise<void> | null = null;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
  ) {
    this.time = new StorageTime(clock);
  }

  async now(): Promise<number> {
    if (this.askedAt === null || this.clock.monotonic() - this.askedAt >= trustedForMs) {
      this.asking ??= this.ask().finally(() => (this.asking = null));
      await this.asking;
    }
    return this.time.now();
  }

  private async ask(): Promise<void> {
    const sentAt = this.clock.monotonic();
    this.time.observe(await this.storage.now(), sentAt);
    this.askedAt = this.clock.monotonic();
  }
}
