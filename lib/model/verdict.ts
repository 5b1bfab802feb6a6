/**
 * How a run ended for good. Exactly one per run.
 *
 * `lost`: its workers died again and again, or one died or stopped and its job says `recovery: 'abandon'`. @publicApi
 */
export type RunVerdict = 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'lost';

/** How a step of a workflow ended for good. `skipped`: it had nothing to do. @publicApi */
export type StepVerdict = RunVerdict | 'skipped';

/** Why due instants never became runs. @publicApi */
export type GapVerdict = 'skipped' | 'missed' | 'paused' | 'excluded';

/**
 * How one attempt ended. An attempt may end without deciding the run: it is retried, was `lost` with its worker,
 * was `handed_back` by a worker that shut down, `snoozed` by its handler, or `opened` by it, to get its verdict from outside (the last three do not count
 * against the retries). @publicApi
 */
export type Outcome = RunVerdict | 'handed_back' | 'snoozed' | 'opened';

const failures: ReadonlySet<Outcome> = new Set<Outcome>(['failed', 'timed_out', 'lost']);

/** The verdicts of runs that gave up: those are kept as dead letters. @publicApi */
export type FailureVerdict = 'failed' | 'timed_out' | 'lost';

/** Whether an outcome counts as an error in a job's statistics. */
export function isFailure(outcome: Outcome): outcome is FailureVerdict {
  return failures.has(outcome);
}
