import type { FailureVerdict, GapVerdict, Outcome } from './verdict.js';

/** How long the record is kept, in ms: rows of the ledger by their outcome, gaps by their verdict. */
export interface Retention {
  /** For all that `byVerdict` does not name. */
  defaultMs: number;
  byVerdict: Partial<Record<Outcome | GapVerdict, number>>;
}

/** What one call of `prune` has forgotten. */
export interface Pruned {
  /** Whether there is more to do. */
  more: boolean;
  /** Rows of the ledger, one by one. */
  attempts: number;
  /** Days of the ledger that were dropped as a whole, whatever was in them. */
  days: number;
  gaps: number;
  /** Finished one-offs whose `keep` is over. */
  jobs: number;
  /** Runs of recurring jobs that had given up. */
  deadLetters: number;
}

export const outcomes = [
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'lost',
  'handed_back',
  'snoozed',
] as const satisfies readonly Outcome[];
export const gapVerdicts = [
  'skipped',
  'missed',
  'paused',
  'excluded',
] as const satisfies readonly GapVerdict[];
const failures: readonly FailureVerdict[] = ['failed', 'timed_out', 'lost'];

export function keptMs(retention: Retention, verdict: Outcome | GapVerdict): number {
  return retention.byVerdict[verdict] ?? retention.defaultMs;
}

/** For each outcome and verdict the longest of all. */
export function longestRetention(all: readonly [Retention, ...Retention[]]): Retention {
  const longest = (verdict: Outcome | GapVerdict): number =>
    Math.max(...all.map((retention) => keptMs(retention, verdict)));
  return {
    defaultMs: Math.max(...all.map(({ defaultMs }) => defaultMs)),
    byVerdict: Object.fromEntries(
      [...outcomes, ...gapVerdicts].map((verdict) => [verdict, longest(verdict)]),
    ),
  };
}

/** Whether two come to the same. */
export function sameRetention(one: Retention, other: Retention): boolean {
  return [...outcomes, ...gapVerdicts].every((verdict) => keptMs(one, verdict) === keptMs(other, verdict));
}

/** How long a row of the ledger is kept at most. */
export function longestKeptMs(retention: Retention): number {
  return Math.max(...outcomes.map((outcome) => keptMs(retention, outcome)));
}

/** Dead letters go with the last of their kind in the ledger. */
export function deadLettersKeptMs(retention: Retention): number {
  return Math.max(...failures.map((verdict) => keptMs(retention, verdict)));
}
