import type { Attempt, DurationInput, JsonValue, RunVerdict } from '../index.js';
import type { Execution } from './execution.js';
import { ChronisTestingError } from './testing.errors.js';

/** What became of a run. @publicApi */
export interface RunReport {
  runId: string;
  jobId: string;
  verdict: RunVerdict;
  /** What the handler returned, as it is on record. */
  result: JsonValue;
  /** What the last attempt threw, the very object; absent: nothing. */
  error?: unknown;
  /** All executions, snoozed ones included. */
  executions: Execution[];
}

/** @publicApi */
export interface RunJobOptions {
  /** @default 'default' */
  namespace?: string;
  /** Reject with what the handler threw when the run does not succeed. @default false */
  throws?: boolean;
  /** Instead of the patience of `create`: milliseconds, or text such as '3 seconds'. */
  patienceMs?: DurationInput;
}

/** Of a run that has its verdict; `final` is its last row in the ledger, absent for one-offs with `keep: 'none'`. */
export function reportOf(
  run: { id: string; jobId: string },
  final: Attempt | undefined,
  executions: Execution[],
): RunReport {
  const last = executions.at(-1);
  return {
    runId: run.id,
    jobId: run.jobId,
    verdict: (final ?? last)!.outcome as RunVerdict,
    result: final?.result ?? null,
    ...(last && 'error' in last ? { error: last.error } : {}),
    executions,
  };
}

/** Throws what the handler threw; a ChronisTestingError where it threw nothing, as when it was cancelled. */
export function assertSucceeded({ verdict, jobId, error }: RunReport): void {
  if (verdict === 'succeeded') return;
  throw error ?? new ChronisTestingError(`The run of the job "${jobId}" has ended as ${verdict}.`);
}
