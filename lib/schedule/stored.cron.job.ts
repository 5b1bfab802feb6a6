import { InvalidOptionError, type RunContext } from '../index.js';
import { CronJob, type CronJobParams } from './cron.job.js';
import { CronTime } from './cron.time.js';
import { cronTrigger } from './cron.trigger.js';
import type { StoredJob } from './stored.job.js';

/**
 * The handle of a cron that is stored and runs once in the cluster: it acts on the job for all processes. `lastDate()`, `isCallbackRunning` and added callbacks are
 * about the runs of this process. @publicApi
 */
export class StoredCronJob extends CronJob {
  private runs = 0;

  /** `job` is null where the code disables the cron. */
  constructor(
    options: Omit<CronJobParams, 'onTick'>,
    private readonly method: (context: RunContext) => unknown,
    private readonly job: StoredJob | null,
    private readonly place: string,
  ) {
    const { cronTime, timeZone, utcOffset, waitForCompletion, threshold, name } = options;
    super(
      // The method is called by `execute`, which knows the run.
      ...([cronTime, () => undefined, null, false, timeZone, null, false, utcOffset, false] as const),
      ...([waitForCompletion, null, name, threshold] as const),
    );
  }

  override get isActive(): boolean {
    return this.job?.isActive ?? false;
  }

  override get isCallbackRunning(): boolean {
    return this.runs > 0;
  }

  /** Resumes the job. Throws InvalidOptionError where the code disables the cron. */
  override start(): Promise<void> {
    return this.stored().start();
  }

  /** Pauses the job. What goes on may finish. */
  override async stop(): Promise<void> {
    await this.job?.stop();
  }

  /** Runs the job now, in one process of the cluster. */
  override async fireOnTick(): Promise<void> {
    // What goes wrong is in the log already.
    await this.stored()
      .runNow()
      .catch(() => undefined);
  }

  /** Holds for all processes, until an application with another schedule in its code starts. */
  override setTime(time: CronTime): Promise<void> {
    const { source, timeZone, utcOffset } = time;
    const changed = new CronTime(source, timeZone, utcOffset);
    this.cronTime = changed;
    return this.stored().reschedule(cronTrigger(changed, this.place));
  }

  /** Deletes the stored job. */
  async remove(): Promise<void> {
    await this.job?.remove();
  }

  /** A run of the job in this process. Rejects with what the method throws. */
  async execute(context: RunContext, now: number): Promise<unknown> {
    this.lastExecution = new Date(now);
    this.runs++;
    try {
      const result = await this.method(context);
      for (const callback of this.callbacks) await callback.call(this.context);
      return result;
    } finally {
      this.runs--;
    }
  }

  private stored(): StoredJob {
    if (this.job) return this.job;
    throw new InvalidOptionError(
      'disabled',
      `the cron of ${this.place} is disabled in the code, so there is no stored job to act on. Remove the option; stop() pauses a job.`,
    );
  }
}
