import { Logger } from '@nestjs/common';
import { assertTimeZone, type RunContext } from '../index.js';
import { CronJob, type CronJobParams } from './cron.job.js';
import { CronTime } from './cron.time.js';
import { cronTrigger } from './cron.trigger.js';
import type { StoredJob } from './stored.job.js';

/**
 * The handle of a cron that is stored and runs once in the cluster. `start()`, `stop()`, `lastDate()`, `isCallbackRunning` and added callbacks are about this
 * process; `setTime()`, and `fireOnTick()` of one that is not stopped, act on the job for all. @publicApi
 */
export class StoredCronJob extends CronJob {
  private readonly logger = new Logger('Scheduler');
  private runs = 0;

  constructor(
    options: Omit<CronJobParams, 'onTick'>,
    /** The context is undefined where the method is called without a run. */
    private readonly method: (context?: RunContext) => unknown,
    private readonly job: StoredJob,
    private readonly place: string,
    private readonly now: () => number,
  ) {
    const { cronTime, timeZone, utcOffset, waitForCompletion, threshold, name } = options;
    super(
      // The method is called by `execute`, which knows the run.
      ...([cronTime, () => undefined, null, false, timeZone, null, false, utcOffset, false] as const),
      ...([waitForCompletion, null, name, threshold] as const),
    );
  }

  override get isActive(): boolean {
    return this.job.isActive;
  }

  override get isCallbackRunning(): boolean {
    return this.runs > 0;
  }

  /** This process takes part again. Never rejects. */
  override start(): Promise<void> {
    return this.job.start();
  }

  /** This process takes no part any more. What goes on may finish. Never rejects. */
  override stop(): Promise<void> {
    return this.job.stop();
  }

  /** Runs the job now, in one process of the cluster; while it is stopped here, calls the method in this process, without a run. */
  override async fireOnTick(): Promise<void> {
    // What goes wrong is in the log already.
    if (!this.job.isStopped) return this.job.runNow().catch(() => undefined);
    if (this.runs === 0) await this.execute(undefined);
  }

  /** Holds for all processes and outlives them, also when a deploy brings another schedule in its code: until `SchedulerService.resetJob`, or the time of the code is set. */
  override setTime(time: CronTime): Promise<void> {
    const { source, timeZone, utcOffset } = time;
    const changed = new CronTime(source, timeZone, utcOffset);
    this.cronTime = changed;
    return this.job.reschedule(cronTrigger(changed, this.place), 'CronJob.setTime()');
  }

  /** Learns what is stored. A schedule that is not the code's is told of, and what the handle says of the next times follows it. */
  async look(): Promise<void> {
    const stored = await this.job.look();
    const own = cronTrigger(this.cronTime, this.place);
    if (stored?.trigger.type !== 'cron' || own.type !== 'cron') return;
    const { expression } = stored.trigger;
    const ownZone = assertTimeZone(own.timeZone!);
    if (expression === undefined || (expression === own.expression && stored.timeZone === ownZone)) return;
    const { trigger: change } = stored.changed ?? {};
    const who = change && (change.by === null ? '' : ` by ${change.by}`);
    const why = change
      ? `it was changed at run time${who} on ${change.at.toISOString()}. SchedulerService.resetJob("${stored.id}") brings the code's back.`
      : 'a newer release runs.';
    this.logger.warn(
      `The job "${stored.id}" is stored with the schedule "${expression}" (${stored.timeZone}), not with that of the code, "${own.expression!}" (${ownZone}): ${why}`,
    );
    this.cronTime = new CronTime(expression, stored.timeZone);
  }

  /** A run of the job in this process. Rejects with what the method throws. */
  async execute(context: RunContext | undefined): Promise<unknown> {
    this.lastExecution = new Date(this.now());
    this.runs++;
    try {
      const result = await this.method(context);
      for (const callback of this.callbacks) await callback.call(this.context);
      return result;
    } finally {
      this.runs--;
    }
  }
}
