import type { CronOptions, JobOverride } from '../../../lib/index.js';

/** When a job of a scenario is due: at each `every`th tick since the scenario began, `offset` ticks later; of an interval the storage chooses the anchor. */
export interface Schedule {
  kind: 'cron' | 'interval';
  every: number;
  offset: number;
  /** @default the name of the method */
  id?: string;
  /** Other options of the decorator. */
  options?: Omit<CronOptions, 'id'>;
  /** What the configuration of the process says instead of the decorator. */
  overridden?: Schedule | JobOverride;
  /** The schedule comes out of a factory, as from configuration; null: it wants none. */
  made?: Schedule | null;
}

export type ScheduleOptions = Partial<Pick<Schedule, 'offset' | 'id' | 'overridden' | 'made'>> &
  Omit<CronOptions, 'id'>;

/** What one method has: schedules, or just a handler that others' schedules may name. */
export type Method = Schedule | 'handler' | readonly (Schedule | 'handler')[];

/** `@Cron` at each `ticks`th tick: a divisor of 12, so that both sizes of a tick make an expression of it. */
export function every(ticks: number, given: ScheduleOptions = {}): Schedule {
  return schedule('cron', ticks, given);
}

/** `@Interval` of so many ticks. */
export function each(ticks: number, given: ScheduleOptions = {}): Schedule {
  return schedule('interval', ticks, given);
}

/** It does not run. */
export const none = null;

/** What is expected of one method. */
export type Expected = Schedule | readonly Schedule[] | null;

export function schedulesOf(given: Expected | Method): Schedule[] {
  const all: readonly (Schedule | 'handler' | null)[] = Array.isArray(given)
    ? given
    : [given as Schedule | 'handler' | null];
  return all.filter((one): one is Schedule => one !== null && one !== 'handler');
}

export function told(given: Expected): string {
  const all = schedulesOf(given);
  if (all.length === 0) return 'not';
  return all
    .map(({ every: ticks, offset, id }) => {
      const shifted = offset === 0 ? '' : `+${offset}`;
      return `every ${ticks}${shifted}${id === undefined ? '' : ` as "${id}"`}`;
    })
    .join(' and ');
}

function schedule(
  kind: Schedule['kind'],
  ticks: number,
  { offset = 0, id, overridden, made, ...options }: ScheduleOptions,
): Schedule {
  if (12 % ticks !== 0) throw new RangeError(`every(${ticks}): 12 is no multiple of it.`);
  return { kind, every: ticks, offset, id, overridden, made, options };
}
