import { InvalidScheduleError } from '../model/errors.js';
import type { CronFields, DurationInput, TriggerInput } from '../model/trigger.js';
import { parseDelay } from '../triggers/duration.js';
import { shown } from '../triggers/refuse.js';

/** The one spelling of when, everywhere. */
export const timingWays = ['at', 'in', 'every', 'cron'] as const;

const recurrenceKeys = ['timeZone', 'startAt', 'endAt', 'maxRuns', 'jitter', 'exclude'] as const;

/** Which options of a job belong to its trigger. */
export const timingKeys = {
  cron: [...recurrenceKeys, 'dst'],
  interval: [...recurrenceKeys, 'anchor', 'mode', 'calendar'],
  at: ['timeZone'],
  manual: [],
  after: [],
} as const satisfies Record<TriggerInput['type'], readonly string[]>;

/** The fields of a cron as options of their own; the seconds of an interval have other names. */
export const cronFieldKeys = [
  'year',
  'month',
  'day',
  'week',
  'dayOfWeek',
  'day_of_week',
  'hour',
  'minute',
  'second',
] as const;

export const durationPartKeys = ['weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds'] as const;

/** Takes the options of the trigger's type out of `options`. */
export function timingOf<T extends TriggerInput['type']>(
  type: T,
  options: Readonly<Record<string, unknown>>,
): Extract<TriggerInput, { type: T }> {
  return { type, ...picked(options, timingKeys[type]) } as unknown as Extract<TriggerInput, { type: T }>;
}

/** A cron trigger from text or from fields, as the decorator and `createCronJob` take them. */
export function cronTrigger(
  schedule: string | CronFields,
  options: Readonly<Record<string, unknown>>,
): TriggerInput {
  const timing = timingOf('cron', options);
  return typeof schedule === 'object' && schedule !== null
    ? { ...timing, fields: schedule }
    : { ...timing, expression: schedule };
}

/** So long from now, with 0 at once. A Date: whoever reads it needs not judge whether the number could be seconds. */
export function afterDelay(delay: DurationInput, now: number): Date {
  return new Date(now + parseDelay(delay, 'in'));
}

/** Whether a delay is none. What is due now is due by the clock that stores it, which may have been set since it was asked. */
export function isNone(delay: DurationInput): boolean {
  return parseDelay(delay, 'in') === 0;
}

/** The one of several ways to say something that was used. Throws InvalidScheduleError when it is none or more than one. */
export function onlyOne(options: Readonly<Record<string, unknown>>, ways: readonly Way[]): unknown {
  const given = ways
    .map((way) => ({ ...way, value: valueOf(options, way.keys) }))
    .filter(({ value }) => value !== undefined);
  if (given.length === 1) return given[0]!.value;
  const named = given.length === 0 ? ways.filter(({ isAlias }) => !isAlias) : given;
  const names = named.map(({ name }) => name);
  throw new InvalidScheduleError({
    input: shown(Object.assign({}, ...given.map(({ keys }) => picked(options, keys)))),
    reason: given.length === 0 ? 'empty' : 'ambiguous',
    message:
      given.length === 0
        ? `The schedule is missing. Give ${names.join(' or ')}.`
        : `The schedule is given ${given.length} times, as ${names.join(' and as ')}. Give one of them.`,
  });
}

/** One way to say something: by one key, or by several keys together. */
export interface Way {
  name: string;
  keys: readonly string[];
  /** Another name of a way, which nobody needs to be told of. */
  isAlias?: boolean;
}

function valueOf(options: Readonly<Record<string, unknown>>, keys: readonly string[]): unknown {
  const [first, ...others] = keys;
  if (others.length === 0) return options[first!];
  const parts = picked(options, keys);
  return Object.keys(parts).length > 0 ? parts : undefined;
}

export function picked(
  options: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    keys.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}
