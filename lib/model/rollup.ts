import type { Outcome } from './verdict.js';

/** How long a row of the statistics counts. @publicApi */
export type StatisticsUnit = 'minute' | 'hour' | 'day';

export const statisticsUnits = ['minute', 'hour', 'day'] as const satisfies readonly StatisticsUnit[];

export const unitMs: Readonly<Record<StatisticsUnit, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** How long rows are kept, whatever becomes of the ledger. */
export const statisticsKeptMs: Readonly<Record<StatisticsUnit, number>> = {
  minute: 8 * unitMs.day,
  hour: 90 * unitMs.day,
  day: 731 * unitMs.day,
};

/** Upper bounds of what `StatisticsRow.lateness` counts, in ms, each included; there is one count more, for what was later than all of them. @publicApi */
export const latenessBucketsMs: readonly number[] = Object.freeze([
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000, 1_800_000,
]);

/** What the attempts of one handler came to that ended in one way within one minute, hour or day (UTC). @publicApi */
export interface StatisticsRow {
  start: Date;
  namespace: string;
  queue: string;
  handler: string;
  verdict: Outcome;
  /** Runs whose verdict this was. */
  runs: number;
  /** All attempts that ended so, those that were tried again among them. */
  attempts: number;
  /** Of these attempts in sum, each cut to whole milliseconds. */
  durationMs: number;
  /** Of the longest of them. */
  longestMs: number;
  /** How many runs began how late after their nominal time, by `latenessBucketsMs`: each counts once, with its first attempt. Retries by hand and backfills do not count. */
  lateness: number[];
}

/** From when to when the statistics say all that the ledger did. */
export interface RollupMark {
  from: number;
  /** Exclusive. */
  until: number;
  /** The hours before it were compared with the ledger once more when their day was over. */
  checkedUntil: number;
}

/** What to count: whole minutes of one hour (UTC). */
export interface RollupOrder {
  from: number;
  until: number;
  /** `make`: what comes next, or the last of it anew · `check`: an hour, only if it says other than the ledger · `rebuild`: an hour anew, without moving on. */
  kind: 'make' | 'check' | 'rebuild';
  /** Of how long a time the ledger has all rows: nothing is done where some may have gone already. */
  wholeMs: number;
}

/** Where the mark is once the order is done. */
export function markAfter(mark: RollupMark | null, { from, until, kind }: RollupOrder): RollupMark {
  if (mark === null) return { from, until, checkedUntil: kind === 'make' ? from : until };
  const next = { ...mark };
  if (kind === 'check') next.checkedUntil = Math.max(mark.checkedUntil, until);
  else if (from > mark.until) {
    // What is between them nobody has counted, and the ledger may not have it any more.
    if (kind === 'make') return { from, until, checkedUntil: Math.max(mark.checkedUntil, from) };
  } else if (until >= mark.from) {
    next.until = Math.max(mark.until, until);
    next.from = Math.min(mark.from, from);
  }
  return next;
}

/** In which bucket. */
export function latenessBucket(lateMs: number): number {
  const found = latenessBucketsMs.findIndex((most) => lateMs <= most);
  return found === -1 ? latenessBucketsMs.length : found;
}

export function floorTo(ms: number, unit: StatisticsUnit): number {
  return Math.floor(ms / unitMs[unit]) * unitMs[unit];
}

export function ceilTo(ms: number, unit: StatisticsUnit): number {
  return Math.ceil(ms / unitMs[unit]) * unitMs[unit];
}
