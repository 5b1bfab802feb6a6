import { InvalidOptionError, parseDuration, type JobOverride } from '../index.js';
import type { ScheduleMetadata } from './schedule.metadata.js';
import type { ScheduleOverride } from './schedule.options.js';
import { overriddenCron, overriddenInterval, refusal, refuseOverride } from './stored.override.js';

/** Shorter ones would cost statements all the time. */
const shortestStoredMs = 1_000;
const keysOfTimers = ['schedule', 'timeZone', 'disabled'];

type Recurring = Exclude<ScheduleMetadata, { kind: 'timeout' }>;

/** Whether it runs once in the cluster, and not on a timer of every process. Throws InvalidOptionError. */
export function isDistributed(schedule: Recurring, id: string, override: ScheduleOverride): boolean {
  const { distributed, ...rest } = override;
  if (distributed !== undefined && typeof distributed !== 'boolean') {
    throw refusal(id, `distributed must be true or false, but is ${JSON.stringify(distributed)}.`);
  }
  if (schedule.kind === 'interval' && !(schedule.ms >= shortestStoredMs)) {
    const given = distributed === false ? rest : override;
    refuseOverride(id, given, 'an @Interval of less than a second is a timer of each process, not a job.');
    return false;
  }
  const own = schedule.kind === 'cron' ? schedule.options.distributed : schedule.distributed;
  if (own !== undefined && typeof own !== 'boolean') {
    throw new InvalidOptionError('distributed', `must be true or false, but is ${JSON.stringify(own)}.`);
  }
  return distributed ?? own ?? true;
}

/** What a timer of every process goes by; null: the module disables it. Throws InvalidOptionError. */
export function overriddenTimer(
  schedule: Recurring,
  id: string,
  override: JobOverride,
  timeZone: string | undefined,
): ScheduleMetadata | null {
  const { distributed: _, ...rest } = override as ScheduleOverride;
  const key = Object.keys(rest).find((each) => !keysOfTimers.includes(each));
  if (key !== undefined) {
    throw refusal(
      id,
      `${key} is for jobs, and this is a timer of each process (distributed: false). It may be given schedule, timeZone and disabled.`,
    );
  }
  if (schedule.kind === 'interval') {
    const every = overriddenInterval(schedule.ms, id, rest);
    return every === null ? null : { ...schedule, ms: parseDuration(every, 'schedule') };
  }
  const options = overriddenCron(schedule.options, id, rest);
  const isZoned = options.timeZone !== undefined || options.utcOffset !== undefined;
  const zone = isZoned || timeZone === undefined ? {} : { timeZone };
  return { kind: 'cron', options: { ...options, ...zone } as typeof options };
}
