import { StorageTime } from '../engine/storage.time.js';
import type { Clock } from '../ports/clock.js';
import type { JobStore } from '../ports/storage.adapter.js';

const trustedForMs = 60_000;

/** The storage's time for those who create jobs, also in a process that runs none: `in: '5s'` must not depend on the local clock. */
export class StorageNow {
  private readonly time: StorageTime;
  private askedAt: number | null = null;
  private asking: Promise<void> | null = null;

  constructor(
    private readonly storage: Pick<JobStore, 'now'>,
    private readonly clock: Clock,
  ) {
    this.time = new StorageTime(clock);
  }

  /** `by`: whom it asks if it has to, within a transaction that one's own. */
  async now(by = this.storage): Promise<number> {
    if (this.askedAt === null || this.clock.monotonic() - this.askedAt >= trustedForMs) {
      if (by !== this.storage) await this.ask(by);
      else await (this.asking ??= this.ask(by).finally(() => (this.asking = null)));
    }
    return this.time.now();
  }

  private async ask(by: Pick<JobStore, 'now'>): Promise<void> {
    const sentAt = this.clock.monotonic();
    this.time.observe(await by.now(), sentAt);
    this.askedAt = this.clock.monotonic();
  }
}
