import { InvalidOptionError, StorageError } from '../model/errors.js';
import type { Page } from '../model/job.js';
import { shortestKeptMs, type Retention } from '../model/retention.js';
import {
  ceilTo,
  floorTo,
  statisticsKeptMs,
  statisticsUnits,
  unitMs,
  type StatisticsRow,
  type StatisticsUnit,
} from '../model/rollup.js';
import type { InstantInput } from '../model/trigger.js';
import { wholeSince } from '../engine/rollup.maker.js';
import type { PageRequest, RollupStorage, StorageAdapter } from '../ports/storage.adapter.js';
import { parseAt } from '../triggers/instant.js';
import { pageOf } from './job.query.js';
import { lineOfText, oneOf } from './option.checks.js';

/** Which statistics. @publicApi */
export interface StatisticsQuery extends PageRequest {
  /** Text without an offset is in the zone of the module, here and in `until`. Rows that begin before it are left out. */
  from: InstantInput;
  /** Itself not in it. @default now, by the storage's clock */
  until?: InstantInput;
  /** @default 'hour' */
  by?: StatisticsUnit;
  namespace?: string;
  queue?: string | string[];
  handler?: string | string[];
}

export const statisticsKeys = [
  'from',
  'until',
  'by',
  'namespace',
  'queue',
  'handler',
  'limit',
  'cursor',
] satisfies (keyof StatisticsQuery)[];

/** A page of statistics, by start, namespace, queue, handler and verdict. @publicApi */
export interface StatisticsPage extends Page<StatisticsRow> {
  /** From when on all of the ledger is counted; null: nothing is. */
  exactFrom: Date | null;
  /** Until when. What a worker stores later than a quarter of an hour after its end is counted when the day is over. */
  exactUntil: Date | null;
}

/** Which statistics to make anew. @publicApi */
export interface RebuildOptions {
  /** The hour that it is in is the first one. */
  from: InstantInput;
  /** The hour before it is the last one. @default now, by the storage's clock */
  until?: InstantInput;
}

export const rebuildKeys = ['from', 'until'] satisfies (keyof RebuildOptions)[];

/** What was made anew. @publicApi */
export interface RebuiltStatistics {
  /** Later than asked for where the ledger may have forgotten rows already; null: nothing was. */
  from: Date | null;
  until: Date | null;
  hours: number;
}

interface StatisticsParts {
  storage: StorageAdapter;
  timeZone: string;
  retention: Retention;
}

/** Reads only. Throws InvalidOptionError, InvalidScheduleError (from, until), StorageError (the storage keeps none). */
export async function queryStatistics(
  { from, until, by = 'hour', namespace, queue, handler, ...page }: StatisticsQuery,
  { storage, timeZone }: StatisticsParts,
): Promise<StatisticsPage> {
  const unit = oneOf(by, 'by', statisticsUnits);
  const begin = instant(from, timeZone, 'from');
  const end = until === undefined ? await storage.now() : instant(until, timeZone, 'until');
  const filter = {
    unit,
    from: begin,
    until: end,
    ...(namespace !== undefined && { namespace: lineOfText(namespace, 'namespace') }),
    ...(queue !== undefined && { queue: names(queue, 'queue') }),
    ...(handler !== undefined && { handler: names(handler, 'handler') }),
  };
  const { items, cursor, mark } = await rollupsOf(storage).queryRollups(filter, pageOf(page));
  return {
    items,
    cursor,
    exactFrom: mark && new Date(mark.from),
    exactUntil: mark && new Date(mark.until),
  };
}

/** In steps of an hour, each by itself. Throws InvalidOptionError, InvalidScheduleError (from, until), StorageError (the storage keeps none). */
export async function rebuildStatistics(
  { from, until }: RebuildOptions,
  { storage, timeZone, retention }: StatisticsParts,
): Promise<RebuiltStatistics> {
  const rollups = rollupsOf(storage);
  const { now, oldest, wholeMs: wanted } = await rollups.rollupState();
  const wholeMs = wanted ?? shortestKeptMs(retention);
  const begin = instant(from, timeZone, 'from');
  const end = until === undefined ? now : instant(until, timeZone, 'until');
  if (end <= begin) throw new InvalidOptionError('until', 'must be after "from".');
  // Of older days the hours are gone, which the day is made of.
  const oldestDay = ceilTo(now - statisticsKeptMs.hour, 'day') + unitMs.day;
  const target = floorTo(now, 'minute');
  const last = Math.min(ceilTo(end, 'hour'), target);
  const whole = Math.max(ceilTo(wholeSince(now, wholeMs), 'hour'), oldestDay, floorTo(oldest ?? now, 'hour'));
  const first = Math.max(floorTo(begin, 'hour'), whole);
  let hours = 0;
  for (let hour = first; hour < last; hour += unitMs.hour) {
    const order = {
      from: hour,
      until: Math.min(hour + unitMs.hour, last),
      kind: 'rebuild' as const,
      wholeMs,
    };
    if (await rollups.makeRollups(order)) hours++;
  }
  const made = first < last;
  return { from: made ? new Date(first) : null, until: made ? new Date(last) : null, hours };
}

function rollupsOf({ rollups, kind }: StorageAdapter): RollupStorage {
  if (rollups !== undefined) return rollups;
  throw new StorageError(
    `The storage "${kind}" keeps no statistics. Use typeOrmStorage(), or one in memory or in a file.`,
  );
}

function instant(given: InstantInput, timeZone: string, option: string): number {
  if (given === undefined) throw new InvalidOptionError(option, 'is needed: give a time.');
  return parseAt(given, timeZone, option).getTime();
}

function names(given: unknown, option: string): string | string[] {
  return Array.isArray(given)
    ? given.map((name, i) => lineOfText(name, `${option}[${i}]`))
    : lineOfText(given as string, option);
}
