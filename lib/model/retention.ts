import type { FailureVerdict, GapVerdict, Outcome } from './verdict.js';

/** How long the record is kept, in ms: rows of the ledger by their outcome, gaps by their verdict. */
export interface Retention {
  /** For all that `byVerdict` does not name. */
  defaultMs: number;
  byVerdict: Partial<Record<Outcome | GapVerdict, number>>;
  /** How long the history keeps what pruning removes of workflows and definitions; 0: there is none. Absent: nothing is said of it, as by an older release, and counts as 0. */
  historyMs?: number;
  /** How long is kept who has asked for something. Absent: nothing is said of it, as by an older release; where nobody says it, all is kept. */
  auditMs?: number;
}

/** A clock that is ahead by no more than this keeps nothing from being forgotten. */
export const leastWithheldMs = 60_000;

/** Nothing forgotten. */
export function withheld(withheldMs: number): Pruned {
  return { more: false, withheldMs, attempts: 0, days: 0, gaps: 0, jobs: 0, deadLetters: 0 };
}

/** A row that the storage does not let go, as a trigger or a constraint of somebody else forbids it. It keeps no other from being forgotten. */
export interface RefusedRow {
  /** Which one, such as `attempts of run 17` or `gap 3`. */
  row: string;
  error: unknown;
  /** When it is tried again, about. */
  retryInMs: number;
}

/** What one call of `prune` has forgotten. */
export interface Pruned {
  /** Whether there is more to do. */
  more: boolean;
  /** By how much the storage's clock is ahead of what the record may have aged, in ms; above 0: nothing was forgotten. */
  withheldMs: number;
  /** Rows of the ledger, one by one. */
  attempts: number;
  /** Days of the ledger that were dropped as a whole, whatever was in them. */
  days: number;
  gaps: number;
  /** Finished one-offs whose `keep` is over. */
  jobs: number;
  /** Runs of recurring jobs that had given up. */
  deadLetters: number;
  /** Entries of who has asked for something. Absent: none. */
  audit?: number;
  /** What this call has found that cannot be forgotten. Absent: nothing. */
  refused?: RefusedRow[];
}

export const outcomes = [
  'succeeded',
  'failed',
  'timed_out',
  'cancelled',
  'lost',
  'handed_back',
  'snoozed',
  'opened',
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
    historyMs: Math.max(...all.map(({ historyMs = 0 }) => historyMs)),
    ...(all.some(({ auditMs }) => auditMs !== undefined) && {
      auditMs: Math.max(...all.map(({ auditMs = 0 }) => auditMs)),
    }),
  };
}

/** Whether two come to the same. */
export function sameRetention(one: Retention, other: Retention): boolean {
  const { historyMs = other.historyMs, auditMs = other.auditMs } = one;
  return (
    historyMs === (other.historyMs ?? historyMs) &&
    auditMs === (other.auditMs ?? auditMs) &&
    [...outcomes, ...gapVerdicts].every((verdict) => keptMs(one, verdict) === keptMs(other, verdict))
  );
}

/** Who has asked for something is kept from then on; -Infinity: for ever. */
export function auditHorizon({ auditMs = Infinity }: Retention, now: number): number {
  return now - auditMs;
}

/** How long a row of the ledger is kept at most. */
export function longestKeptMs(retention: Retention): number {
  return Math.max(...outcomes.map((outcome) => keptMs(retention, outcome)));
}

/** How long all rows of the ledger are kept. */
export function shortestKeptMs(retention: Retention): number {
  return Math.min(...outcomes.map((outcome) => keptMs(retention, outcome)));
}

/** Dead letters go with the last of their kind in the ledger. */
export function deadLettersKeptMs(retention: Retention): number {
  return Math.max(...failures.map((verdict) => keptMs(retention, verdict)));
}
