import { Injectable, Logger } from '@nestjs/common';
import type { CronJob } from './cron.job.js';
import { guarded } from './guarded.js';
import type { InstalledCronJob } from './installed.types.js';
import { duplicate, notFound } from './messages.js';
import { StoredJob } from './stored.job.js';

/** What can be added by hand: a CronJob of this package or of the `cron` package, of any version. @publicApi */
export interface RegistrableCronJob {
  /** Versions 1 and 2 of that package say no more than Function. */
  // oxlint-disable-next-line typescript/no-unsafe-function-type
  fireOnTick: Function | (() => unknown);
  start(): unknown;
  stop(): unknown;
}

/** A registered job, which fits variables of the types of this package and, where that is installed, of the `cron` package. @publicApi */
export type RegisteredCronJob = CronJob & InstalledCronJob;

/**
 * The scheduled methods by their names, and whatever else the application adds: crons as CronJob, intervals and timeouts as the handles that `setInterval` and
 * `setTimeout` gave. Empty after the application has closed. @publicApi
 */
@Injectable()
export class SchedulerRegistry {
  private readonly logger = new Logger(SchedulerRegistry.name);
  private readonly cronJobs = new Map<string, RegisteredCronJob>();
  private readonly timeouts = new Map<string, unknown>();
  private readonly intervals = new Map<string, unknown>();

  doesExist(type: 'cron' | 'timeout' | 'interval', name: string): boolean {
    if (type === 'cron') return this.cronJobs.has(name);
    if (type === 'interval') return this.intervals.has(name);
    return type === 'timeout' && this.timeouts.has(name);
  }

  /** Throws an error when there is none. */
  getCronJob(name: string): RegisteredCronJob {
    return found(this.cronJobs, 'Cron Job', name);
  }

  /** The handle for `clearInterval()`; distributed, of a stored interval: a StoredJob. Throws an error when there is none. */
  getInterval<T = any>(name: string): T {
    return found(this.intervals, 'Interval', name) as T;
  }

  /** The handle for `clearTimeout()`. Throws an error when there is none. */
  getTimeout<T = any>(name: string): T {
    return found(this.timeouts, 'Timeout', name) as T;
  }

  /** What the job throws from now on goes to the log. It runs in this process alone, and is not started. Throws an error when the name is taken. */
  addCronJob(name: string, job: RegistrableCronJob): void {
    assertFree(this.cronJobs, 'Cron Job', name);
    job.fireOnTick = guarded(job.fireOnTick as () => unknown, job, this.logger);
    this.cronJobs.set(name, job as RegisteredCronJob);
  }

  /** Throws an error when the name is taken. */
  addInterval<T = any>(name: string, intervalId: T): void {
    assertFree(this.intervals, 'Interval', name);
    this.intervals.set(name, intervalId);
  }

  /** Throws an error when the name is taken. */
  addTimeout<T = any>(name: string, timeoutId: T): void {
    assertFree(this.timeouts, 'Timeout', name);
    this.timeouts.set(name, timeoutId);
  }

  /** The jobs themselves, not a copy. */
  getCronJobs(): Map<string, RegisteredCronJob> {
    return this.cronJobs;
  }

  getIntervals(): string[] {
    return [...this.intervals.keys()];
  }

  getTimeouts(): string[] {
    return [...this.timeouts.keys()];
  }

  /** Stops the job, a stored one in this process, until its next start. Throws an error when there is none. */
  deleteCronJob(name: string): void {
    const job: CronJob = this.getCronJob(name);
    void job.stop();
    this.cronJobs.delete(name);
  }

  /** Clears the interval; a stored one stops in this process, until its next start. Throws an error when there is none. */
  deleteInterval(name: string): void {
    const interval = this.getInterval<unknown>(name);
    if (interval instanceof StoredJob) void interval.stop();
    else clearInterval(interval as ReturnType<typeof setInterval>);
    this.intervals.delete(name);
  }

  /** Throws an error when there is none. */
  deleteTimeout(name: string): void {
    clearTimeout(this.getTimeout<ReturnType<typeof setTimeout>>(name));
    this.timeouts.delete(name);
  }
}

function found<T>(map: ReadonlyMap<string, T>, kind: string, name: string): T {
  const handle = map.get(name);
  if (handle === undefined) throw new Error(notFound(kind, name));
  return handle;
}

function assertFree(map: ReadonlyMap<string, unknown>, kind: string, name: string): void {
  // A handle that is 0 or empty holds no name, as in the original.
  if (map.get(name)) throw new Error(duplicate(kind, name));
}
