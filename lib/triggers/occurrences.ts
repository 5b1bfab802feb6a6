import type { InstantInput, TriggerInput } from '../model/trigger.js';
import type { CompiledTrigger } from './compiled.trigger.js';
import type { Calendars } from '../model/trigger.js';
import { parseAt } from './instant.js';
import { refuse, shown } from './refuse.js';
import { resolveTrigger } from './resolved.trigger.js';

/** From where, how many, and under which defaults. @publicApi */
export interface OccurrenceOptions {
  /** Occurrences are strictly after (or before) this instant. Text without an offset is read in the trigger's zone. */
  from: InstantInput;
  /** @default 1 */
  count?: number;
  /** The zone of triggers that name none. @default 'UTC' */
  timeZone?: string;
  /** The calendars that the trigger's exclusions may name. */
  calendars?: Calendars;
  /** "namespace/id" of the job, which decides `H` and jitter. @default '' */
  jobKey?: string;
}

export const maxCount = 100_000;

/**
 * The next `count` instants of a trigger strictly after `from`, ascending; fewer when there are no more. Exclusions are
 * left out; `maxRuns` counts from `from`. A pure function of its arguments and the zone data: never of the process's
 * zone or of today's date.
 *
 * An interval without `anchor` and `startAt` counts from `from`. Throws `InvalidScheduleError`. @publicApi
 */
export function nextOccurrences(trigger: TriggerInput, options: OccurrenceOptions): Date[] {
  const from = fromOf(trigger, options);
  const compiled = resolveTrigger(trigger, options, from);
  const most = Math.min(countOf(options, 1), maxRunsOf(compiled));
  const found: Date[] = [];
  let at: number | null = from;
  while (found.length < most) {
    at = compiled.next(at);
    if (at === null) break;
    found.push(new Date(at));
  }
  return found;
}

/**
 * The last `count` instants of a trigger strictly before `from`, the latest first; fewer when there were no more. An
 * interval has none before its anchor, a fixed-delay interval none at all. Throws `InvalidScheduleError`. @publicApi
 */
export function previousOccurrences(trigger: TriggerInput, options: OccurrenceOptions): Date[] {
  const from = fromOf(trigger, options);
  const compiled = resolveTrigger(trigger, options, from);
  const most = countOf(options, 1);
  const found: Date[] = [];
  let at: number | null = from;
  while (found.length < most) {
    at = compiled.previous(at);
    if (at === null) break;
    found.push(new Date(at));
  }
  return found;
}

export function fromOf(trigger: TriggerInput, { from, timeZone = 'UTC' }: OccurrenceOptions): number {
  if (from instanceof Date && !Number.isNaN(from.getTime())) return from.getTime();
  const own = (trigger as { timeZone?: string } | null)?.timeZone;
  return parseAt(from, own ?? timeZone, 'from').getTime();
}

export function countOf(options: OccurrenceOptions, otherwise: number): number {
  const count = options.count ?? otherwise;
  if (Number.isSafeInteger(count) && count >= 0 && count <= maxCount) return count;
  return refuse(
    count,
    'out-of-range',
    `count: ${shown(count)} is not a whole number from 0 to ${maxCount}.`,
    {
      field: 'count',
    },
  );
}

export function maxRunsOf({ trigger }: CompiledTrigger): number {
  return trigger.type === 'cron' || trigger.type === 'interval' ? (trigger.maxRuns ?? Infinity) : Infinity;
}
