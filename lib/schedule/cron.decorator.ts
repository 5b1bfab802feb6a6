import { assertCalled } from '../index.js';
import { schedules } from './schedule.metadata.js';
import type { CronSource } from './cron.time.js';

/** Options of `@Cron`. `timeZone` and `utcOffset` exclude each other. @publicApi */
export type CronOptions = {
  /** Under which the job is found in the SchedulerRegistry; distributed: the id of the stored job. @default a UUID; distributed: `ClassName.method` */
  name?: string;
  timeZone?: unknown;
  utcOffset?: unknown;
  /** Let the process end while the job waits. @default false */
  unrefTimeout?: boolean;
  /** Leave out instants that come while the method runs; distributed: in the whole cluster, and the default. @default false */
  waitForCompletion?: boolean;
  /** Do not start the job; the registry's handle may, distributed: in its process. @default false */
  disabled?: boolean;
  /** By how many milliseconds a tick may be late and still run. @default 250; distributed: late instants run */
  threshold?: number;
  /** Milliseconds from the bootstrap in which nothing runs. @default 0 */
  initialDelay?: number;
  /** False: on a timer of every process, also where the module is distributed. @default true where the module is */
  distributed?: boolean;
} & (
  | {
      /** IANA name. @default the zone of the process */
      timeZone?: string;
      utcOffset?: never;
    }
  | {
      timeZone?: never;
      /** Minutes east of UTC; distributed: whole hours. */
      utcOffset?: number;
    }
);

/**
 * Runs the method by a cron text of 5 or 6 fields, or once at a Date or a luxon DateTime. Mistakes are reported when the application
 * boots. @publicApi
 */
export function Cron(cronTime: CronSource, options: CronOptions = {}): MethodDecorator {
  assertCalled('@Cron', [cronTime, options]);
  return schedules('cron', options?.name, { ...options, cronTime });
}
