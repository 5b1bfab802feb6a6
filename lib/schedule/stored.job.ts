import { Logger } from '@nestjs/common';
import type { Job, SchedulerService, TriggerInput } from '../index.js';

/**
 * The handle of a job that is stored. `start()` and `stop()` are about the part that this process takes in it, and nothing of them outlives the process;
 * `runNow()` and changes are for all, wait until the job is there, and each for the one before. Failures are logged as well as thrown. @publicApi
 */
export class StoredJob {
  private readonly logger = new Logger('Scheduler');
  private last: Promise<unknown>;
  private released = false;
  private takesPart = true;
  /** As far as this process knows. */
  private paused = false;

  constructor(
    readonly id: string,
    private readonly scheduler: SchedulerService,
    stored: Promise<unknown>,
  ) {
    this.last = stored;
  }

  /** Whether it runs in this process, as far as that knows: it may have been paused for all since. SchedulerService.getJob() tells for certain. */
  get isActive(): boolean {
    return this.takesPart && !this.paused;
  }

  /** Whether this process has stopped it. */
  get isStopped(): boolean {
    return !this.takesPart;
  }

  /** From now on this process runs it again. A pause for all processes stays, and is told of. Never rejects. */
  async start(): Promise<void> {
    if (this.released) return;
    this.takesPart = true;
    await this.scheduler.offerHandler(this.id);
    const job = await this.look().catch(() => null);
    if (this.paused && this.takesPart && job !== null) this.tellPause(job);
  }

  /** From now on this process does not run it; the others do. What goes on may finish. Never rejects. */
  async stop(): Promise<void> {
    if (this.released) return;
    this.takesPart = false;
    this.scheduler.withdrawHandler(this.id);
  }

  /** A run due now, in one process of the cluster that has not stopped it. */
  runNow(): Promise<void> {
    return this.after('run', () => this.scheduler.runNow(this.id));
  }

  /** Another schedule, for all processes, over that of the code until `resetJob`. */
  reschedule(trigger: TriggerInput, by: string): Promise<void> {
    return this.after('change', () => this.scheduler.updateJob(this.id, { trigger }, { by }));
  }

  /** Learns whether somebody has paused it for all. Null: it is not there. */
  async look(): Promise<Job | null> {
    const job = this.released ? null : await this.scheduler.getJob(this.id);
    this.paused = job !== null && job.paused !== null;
    return job;
  }

  /** From now on nothing is done: the application closes, and the job stays as it is. */
  release(): void {
    this.released = true;
  }

  private tellPause({ id, paused }: Job): void {
    const { reason, by, at } = paused!;
    const why = [reason, by === null ? null : `by ${by}`].filter((part) => part !== null).join(', ');
    this.logger.warn(
      `The job "${id}" is paused for all processes since ${at.toISOString()}${why && ` (${why})`} and runs nowhere. SchedulerService.resumeJob("${id}") ends that.`,
    );
  }

  private after(verb: string, change: () => Promise<unknown>): Promise<void> {
    const done = this.last.then(async () => {
      if (!this.released) await change();
    });
    this.last = done.catch((error: unknown) => {
      this.logger.error(`Could not ${verb} the job "${this.id}": ${(error as Error).message}`);
    });
    return done;
  }
}
