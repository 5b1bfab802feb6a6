import type { Page } from '../model/job.js';
import {
  floorTo,
  latenessBucket,
  latenessBucketsMs,
  markAfter,
  statisticsUnits,
  unitMs,
  type RollupMark,
  type RollupOrder,
  type StatisticsRow,
  type StatisticsUnit,
} from '../model/rollup.js';
import { longestRetention, shortestKeptMs } from '../model/retention.js';
import type {
  EpochMs,
  PageRequest,
  RollupFilter,
  RollupState,
  RollupStorage,
} from '../ports/storage.adapter.js';
import { outside } from '../ports/outside.js';
import { pageOf } from './paging.js';
import { wantedBy } from './pruning.js';
import type { LedgerRow, MemoryTables, RollupRow, Step } from './tables.js';

/** Statistics in memory. */
export class MemoryRollups implements RollupStorage {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  rollupState(): Promise<RollupState> {
    return this.atomically(({ ledger, rollupMark: mark, workers }, now) => {
      let oldest: EpochMs | null = null;
      for (const { finishedAt } of ledger) oldest = Math.min(oldest ?? Infinity, finishedAt.getTime());
      const [first, ...others] = wantedBy(workers.values(), now);
      const wholeMs = first === undefined ? null : shortestKeptMs(longestRetention([first, ...others]));
      return { now, mark, oldest, wholeMs };
    }, 'read');
  }

  makeRollups(order: RollupOrder): Promise<boolean> {
    return this.atomically((tables, now) => make(tables, now, order));
  }

  queryRollups(
    { unit, from, until, namespace, queue, handler }: RollupFilter,
    page: PageRequest,
  ): Promise<Page<StatisticsRow> & { mark: RollupMark | null }> {
    const isAmong = (value: string, wanted: string | string[] | undefined): boolean =>
      wanted === undefined || [wanted].flat().includes(value);
    return this.atomically(({ rollups, rollupMark: mark }) => {
      const rows = [...rollups.values()].filter(
        (row) =>
          row.unit === unit &&
          row.start >= from &&
          row.start < until &&
          isAmong(row.namespace, namespace) &&
          isAmong(row.queue, queue) &&
          isAmong(row.handler, handler),
      );
      return { ...pageOf(rows, page, placeOf, toView), mark };
    }, 'read');
  }

  forgetRollups(keptMs: Readonly<Record<StatisticsUnit, number>>, limit: number): Promise<number> {
    return this.atomically(({ rollups }, now) => {
      const left = { minute: limit, hour: limit, day: limit };
      let gone = 0;
      for (const [key, { unit, start }] of rollups) {
        if (start >= now - keptMs[unit] || left[unit]-- <= 0) continue;
        rollups.delete(key);
        gone++;
      }
      return gone;
    });
  }
}

function make(tables: MemoryTables, now: EpochMs, order: RollupOrder): boolean {
  const { from, until, kind, wholeMs } = order;
  const { ledger, rollups } = tables;
  const isWhole = from >= now - wholeMs;
  const hour = floorTo(from, 'hour');
  if (!isWhole) return false;
  const ended = ledger.filter(
    ({ finishedAt }) => finishedAt.getTime() >= from && finishedAt.getTime() < until,
  );
  let differs = true;
  if (kind === 'check') {
    let counted = 0;
    for (const { unit, start, attempts } of rollups.values())
      if (unit === 'hour' && start === hour) counted += attempts;
    differs = counted !== ended.length;
  }
  if (differs) {
    replace(rollups, 'minute', from, until, ended.map(ofAttempt));
    const minutes = within(rollups, 'minute', hour, hour + unitMs.hour);
    replace(rollups, 'hour', hour, hour + unitMs.hour, minutes.map(as('hour')));
    const day = floorTo(from, 'day');
    const hours = within(rollups, 'hour', day, day + unitMs.day);
    replace(rollups, 'day', day, day + unitMs.day, hours.map(as('day')));
  }
  tables.rollupMark = markAfter(tables.rollupMark, order);
  return differs;
}

function within(rollups: MemoryTables['rollups'], unit: StatisticsUnit, from: EpochMs, until: EpochMs) {
  return [...rollups.values()].filter((row) => row.unit === unit && row.start >= from && row.start < until);
}

/** Puts the sums of what is given in place of what was there; rows that stay the same are left alone. */
function replace(
  rollups: MemoryTables['rollups'],
  unit: StatisticsUnit,
  from: EpochMs,
  until: EpochMs,
  given: readonly RollupRow[],
): void {
  const fresh = new Map<string, RollupRow>();
  for (const row of given) {
    const key = keyOf(row);
    const sum = fresh.get(key);
    if (sum === undefined) {
      fresh.set(key, { ...row, lateness: [...row.lateness] });
      continue;
    }
    sum.runs += row.runs;
    sum.attempts += row.attempts;
    sum.durationMs += row.durationMs;
    sum.longestMs = Math.max(sum.longestMs, row.longestMs);
    for (const [bucket, count] of row.lateness.entries()) sum.lateness[bucket]! += count;
  }
  for (const row of within(rollups, unit, from, until)) {
    const key = keyOf(row);
    const now = fresh.get(key);
    if (now === undefined) rollups.delete(key);
    else if (JSON.stringify(now) === JSON.stringify(row)) fresh.delete(key);
  }
  for (const [key, row] of fresh) rollups.set(key, row);
}

function ofAttempt(row: LedgerRow): RollupRow {
  const { namespace, queue, handler, outcome: verdict, final, startedAt, finishedAt, nominalAt } = row;
  const durationMs = startedAt === null ? 0 : Math.max(0, finishedAt.getTime() - startedAt.getTime());
  const lateness = Array.from<number>({ length: latenessBucketsMs.length + 1 }).fill(0);
  const isFirst = row.fence === 1 && !(row.final && row.worker === outside);
  const isOwn = row.origin !== 'retry' && row.origin !== 'backfill';
  if (isFirst && isOwn && startedAt !== null)
    lateness[latenessBucket(startedAt.getTime() - nominalAt.getTime())] = 1;
  return {
    unit: 'minute',
    start: floorTo(finishedAt.getTime(), 'minute'),
    namespace,
    queue,
    handler,
    verdict,
    runs: final ? 1 : 0,
    attempts: 1,
    durationMs,
    longestMs: durationMs,
    lateness,
  };
}

const as =
  (unit: StatisticsUnit) =>
  (row: RollupRow): RollupRow => ({ ...row, unit, start: floorTo(row.start, unit) });

function placeOf({ start, namespace, queue, handler, verdict }: RollupRow) {
  return [start, namespace, queue, handler, verdict] as const;
}

function keyOf(row: RollupRow): string {
  return [statisticsUnits.indexOf(row.unit), ...placeOf(row)].join('\0');
}

function toView(row: RollupRow): StatisticsRow {
  const { start, namespace, queue, handler, verdict, runs, attempts, durationMs, longestMs, lateness } = row;
  const counts = { runs, attempts, durationMs, longestMs, lateness: [...lateness] };
  return { start: new Date(start), namespace, queue, handler, verdict, ...counts };
}
