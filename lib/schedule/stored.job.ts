import { Logger } from '@nestjs/common';
import type { SchedulerService, TriggerInput } from '../index.js';

/**
 * The handle of a job that is stored, for all processes: `start()` resumes and `stop()` pauses it. What is asked for before the application runs waits until
 * the job is there, and each thing for the one before. Failures are logged as well as thrown. @publicApi
 */
export class StoredJob {
  private readonly logger = new Logger('Scheduler');
  private last: Promise<unknown>;
  private released = false;
  private resumed = true;

  constructor(
    readonly id: string,
    private readonly scheduler: SchedulerService,
    stored: Promise<unknown>,
  ) {
    this.last = stored;
  }

  /** As far as this process knows: others may have stopped or started it since. SchedulerService.getJob() tells for certain. */
  get isActive(): boolean {
    return this.resumed;
  }

  start(): Promise<void> {
    this.resumed = true;
    return this.after('start', () => this.scheduler.resumeJob(this.id));
  }

  stop(): Promise<void> {
    this.resumed = false;
    return this.after('stop', () =>
      this.scheduler.pauseJob(this.id, { reason: 'stopped by the application' }),
    );
  }

  /** A run due now, in one process of the cluster. */
  runNow(): Promise<void> {
    return this.after('run', () => this.scheduler.runNow(this.id));
  }

  reschedule(trigger: TriggerInput): Promise<void> {
    return this.after('change', () => this.scheduler.updateJob(this.id, { trigger }));
  }

  /** The job comes back with the next start of the application. */
  remove(): Promise<void> {
    this.resumed = false;
    return this.after('delete', () => this.scheduler.deleteJob(this.id));
  }

  /** Learns whether somebody has paused it. */
  async look(): Promise<void> {
    const job = await this.scheduler.getJob(this.id);
    this.resumed = job !== null && job.paused === null;
  }

  /** From now on nothing is done: the application closes, and the job stays as it is. */
  release(): void {
    this.released = true;
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
