import { StorageTime } from '../engine/storage.time.js';
import type { Clock } from '../ports/clock.js';
import type { JobStore } from '../ports/storage.adapter.js';

/** An answer shows the time for so long; who hears none has to ask. A clock that is set meanwhile makes what is due after a delay early or late. */
const trustedForMs = 5_000;

/** The storage's time for those who create jobs, also in a process that runs none: `in: '5s'` must not depend on the local clock. */
export class StorageNow {
  private readonly time: StorageTime;
  private heardAt: number | null = null;
  private asking: Promise<unknown> | null = null;

  constructor(
    private readonly storage: Pick<JobStore, 'now'>,
    private readonly clock: Clock,
  ) {
    this.time = new StorageTime(clock);
  }

  /** `by`: whom it asks if it has to, within a transaction that one's own. */
  async now(by = this.storage): Promise<number> {
    if (this.heardAt === null || this.clock.monotonic() - this.heardAt >= trustedForMs) {
      if (by !== this.storage) await this.ask(by);
      else await (this.asking ??= this.ask(by).finally(() => (this.asking = null)));
    }
    return this.time.now();
  }

  /** The same, asked in any case: what is done seldom can be exact. */
  async asked(by = this.storage): Promise<number> {
    await this.ask(by);
    return this.time.now();
  }

  /** Calls the storage. `timeOf`: when its answer was made, by its clock; null: it does not say. */
  async hearing<T>(call: () => Promise<T>, timeOf: (answer: T) => number | null): Promise<T> {
    const sentAt = this.clock.monotonic();
    const answer = await call();
    const storageNow = timeOf(answer);
    if (storageNow !== null) {
      this.time.observe(storageNow, sentAt);
      this.heardAt = this.clock.monotonic();
    }
    return answer;
  }

  private ask(by: Pick<JobStore, 'now'>): Promise<number> {
    return this.hearing(
      () => by.now(),
      (now) => now,
    );
  }
}
