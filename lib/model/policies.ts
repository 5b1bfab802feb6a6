/**
 * What happens to a due instant while an earlier run of the job is not finished; one that waits for its retry is not.
 *
 * `skip`: it does not run, which is on record · `allow`: it runs beside · `queue`: it waits for the end of the earlier run; while one
 * waits, further instants are skipped · `cancel-running`: the earlier run is cancelled, and it begins when that has ended.
 * @publicApi
 */
export type OverlapPolicy = 'skip' | 'allow' | 'queue' | 'cancel-running';

/**
 * What happens to instants that fell due while nobody could fire them, however long that was.
 *
 * `skip`: those that are late by more than the threshold do not run, and the latest of the others runs for these · `once`: the latest due instant runs for all of them · `all`: each of them runs, as far as `misfireLimit` goes and
 * no faster than workers are free; one after the other unless the job lets runs overlap. What does not run is on record. @publicApi
 */
export type MisfirePolicy = 'skip' | 'once' | 'all';

/** What happens to a run whose worker died: another worker takes it (at least once) or it ends as `lost` (at most once). @publicApi */
export type RecoveryPolicy = 'rerun' | 'abandon';

/**
 * Delay before a retry, in milliseconds. A list gives one delay per retry, its last element repeats.
 * `linear`: delayMs × retry; `exponential`: delayMs × 2^(retry − 1), capped at maxMs and, with jitter, drawn
 * uniformly from [0, delay] ("full jitter"). @publicApi
 */
export type Backoff =
  | { type: 'fixed'; delayMs: number }
  | { type: 'linear'; delayMs: number; maxMs?: number }
  | { type: 'exponential'; delayMs: number; maxMs?: number; jitter?: boolean }
  | number[];

/**
 * How long a finished one-off stays readable as a job; its id counts as taken meanwhile. `0`: the row goes at once, the ledger has it ·
 * `none`: the ledger has nothing of it either, so nobody can look up what became of it. One that gave up stays in any case. @publicApi
 */
export type KeepMs = number | 'forever' | 'none';

/** A handler that runs when a run has its verdict. `queue`: where it runs, if not in the queue of the run. @publicApi */
export interface Callback {
  handler: string;
  queue?: string;
}

/** Everything a job may say about how it is run. Stored as given; `resolvePolicies` adds the defaults. @publicApi */
export interface Policies {
  /** @default 'skip' */
  overlap: OverlapPolicy;
  /** @default 'once' */
  misfire: MisfirePolicy;
  /** With `skip`: an instant at most this late is simply late, not misfired. @default 60_000 */
  misfireThresholdMs: number;
  /** What misfire `all` runs of a backlog: the newest `count` instants that are not older than `ageMs` (null: of any age). @default 1,000 of any age */
  misfireLimit: { count: number; ageMs: number | null };
  /** @default 'rerun' */
  recovery: RecoveryPolicy;
  /** Further attempts after a failed one. @default 0 */
  maxRetries: number;
  /** @default exponential from 1 s, capped at 1 h, with jitter */
  backoff: Backoff;
  /** Per attempt; null: no limit. @default null */
  timeoutMs: number | null;
  /** A recurring job is paused when so many of its occurrences have failed in a row; null: never. @default null */
  pauseAfterFailures: number | null;
  /** What recurs is overdue where an instant has not begun so long after it; null: never. @default null */
  lateAfterMs: number | null;
  /**
   * A run whose worker died this often ends as `lost`, if it was the only run in the hands of the last one. Else it is tried again, and ends as `lost` in company only when its worker has died twice this often; with 1 any death ends it.
   * @default 3
   */
  maxLost: number;
  /** @default 0 */
  keepMs: KeepMs;
  /** Runs once for each run that has succeeded; null: none. @default null */
  onSuccess: Callback | null;
  /** Runs once for each run that has failed for good, timed out or was lost; null: none. @default null */
  onFailure: Callback | null;
}

export const defaultPolicies: Readonly<Policies> = Object.freeze<Policies>({
  overlap: 'skip',
  misfire: 'once',
  misfireThresholdMs: 60_000,
  misfireLimit: { count: 1_000, ageMs: null },
  recovery: 'rerun',
  maxRetries: 0,
  backoff: { type: 'exponential', delayMs: 1_000, maxMs: 3_600_000, jitter: true },
  timeoutMs: null,
  pauseAfterFailures: null,
  lateAfterMs: null,
  maxLost: 3,
  keepMs: 0,
  onSuccess: null,
  onFailure: null,
});

/** So many times as often as alone a run may be lost in company before it is given up: whatever keeps it from being alone, it does not kill for ever. */
export const lossesInCompany = 2;

/** Whether a run that has now been lost so often is given up. `isAlone`: it was all that the worker had in hands that has died. */
export function isGivenUp(lostCount: number, maxLost: number, isAlone: boolean): boolean {
  return lostCount >= maxLost && (isAlone || maxLost === 1 || lostCount >= lossesInCompany * maxLost);
}

/** The policies of a job with the defaults filled in. */
export function resolvePolicies(given: Partial<Policies>): Policies {
  return { ...defaultPolicies, ...given };
}

/** One of them, for where all would be made anew for every run. */
export function policyOf<K extends keyof Policies>(given: Partial<Policies>, key: K): Policies[K] {
  const value = given[key];
  return value === undefined ? defaultPolicies[key] : value;
}
