import type { Clock, SchedulerHealth, SchedulerService } from '../index.js';

/** A storage that has not answered by then does not answer. */
export const answerMs = 1_000;
/** However many ask, the storage is asked no more often. */
export const betweenMs = 1_000;

/** Asks how the scheduler is, for all who want to know at once. */
export class HealthProbe {
  private last: { askedAt: number; health: SchedulerHealth } | null = null;
  private asking: Promise<SchedulerHealth> | null = null;

  constructor(
    private readonly scheduler: SchedulerService,
    private readonly clock: Clock,
  ) {}

  /** Not older than a second and the time of an answer. */
  ask(): Promise<SchedulerHealth> {
    if (this.asking !== null) return this.asking;
    const askedAt = this.clock.monotonic();
    if (this.last !== null && askedAt - this.last.askedAt < betweenMs)
      return Promise.resolve(this.last.health);
    this.asking = this.scheduler
      .health({ timeout: answerMs })
      .then((health) => {
        this.last = { askedAt, health };
        return health;
      })
      .finally(() => (this.asking = null));
    return this.asking;
  }
}
