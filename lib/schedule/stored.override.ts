import { InvalidOptionError, type JobOptions, type JobOverride, type TriggerInput } from '../index.js';
import type { CronOptions } from './cron.decorator.js';
import type { CronSource } from './cron.time.js';
import type { ScheduleOverride } from './schedule.options.js';

type CronParams = CronOptions & { cronTime: CronSource };

/** Of a trigger; everything else that an override may say belongs to the job. */
const timingKeys = ['startAt', 'endAt', 'maxRuns', 'jitter', 'exclude', 'dst', 'anchor', 'mode', 'calendar'];

/** The decorator's options with what the module's `overrides` say about when, in the words of the decorator. Throws InvalidOptionError. */
export function overriddenCron(given: CronParams, id: string, override: JobOverride): CronParams {
  const { schedule, timeZone, disabled } = override;
  if (schedule !== undefined && typeof schedule !== 'string' && !(schedule instanceof Date)) {
    throw refusal(
      id,
      `schedule must be a cron text or a Date, as its @Cron is that of nestjs-chronis/schedule, but is ${JSON.stringify(schedule)}.`,
    );
  }
  return {
    ...given,
    ...(schedule === undefined ? {} : { cronTime: schedule }),
    ...(timeZone === undefined ? {} : { timeZone, utcOffset: undefined }),
    ...(disabled === undefined ? {} : { disabled }),
  } as CronParams;
}

/** The interval in milliseconds, or as text such as '5m'; null: it is disabled. Throws InvalidOptionError. */
export function overriddenInterval(ms: number, id: string, override: JobOverride): number | string | null {
  const { schedule = ms, disabled = false } = override;
  if (disabled) return null;
  if (typeof schedule === 'number' || typeof schedule === 'string') return schedule;
  throw refusal(
    id,
    `schedule must be milliseconds or text such as '5m', as the job is an @Interval, but is ${JSON.stringify(schedule)}.`,
  );
}

/** A timer of the process is no job that could be overridden. Throws InvalidOptionError. */
export function refuseOverride(id: string, override: JobOverride, why: string): void {
  if (Object.keys(override).length > 0) throw refusal(id, why);
}

/** What an override says besides, for the declaration of the job. */
export function restOf(override: JobOverride, trigger: TriggerInput): JobOptions & { trigger: TriggerInput } {
  const { schedule: _, disabled: __, distributed: ___, timeZone, ...rest } = override as ScheduleOverride;
  const timing = timingKeys.filter((key) => key in rest).map((key) => [key, rest[key as keyof typeof rest]]);
  const options = Object.entries(rest).filter(([key]) => !timingKeys.includes(key));
  const zone = trigger.type === 'interval' && timeZone !== undefined ? { timeZone } : {};
  return {
    ...(Object.fromEntries(options) as JobOptions),
    trigger: { ...trigger, ...zone, ...Object.fromEntries(timing) } as TriggerInput,
  };
}

/** An error about what the module says of a method. */
export function refusal(id: string, problem: string): InvalidOptionError {
  return new InvalidOptionError(`overrides["${id}"]`, problem);
}
