import type { FailureVerdict } from './verdict.js';

/** One attempt of its kind. @publicApi */
export interface FailureSample {
  runId: string;
  jobId: string;
  namespace: string;
  queue: string;
  attempt: number;
  outcome: FailureVerdict;
  finishedAt: Date;
  /** Messages, then frames: `errorParts` takes them apart. */
  error: string | null;
}

/** Failures of one kind of one handler. @publicApi */
export interface FailureGroup {
  /** See `Attempt.fingerprint`. */
  fingerprint: string;
  handler: string;
  /** Attempts that failed so. */
  attempts: number;
  /** Of so many runs. */
  runs: number;
  /** Of these attempts those that were the verdicts of their runs. */
  gaveUp: number;
  /** Within the time that was asked for, as the next one. */
  firstAt: Date;
  lastAt: Date;
  /** The newest. */
  sample: FailureSample;
}

/** Failures by kind and handler, those that happened last first. @publicApi */
export interface FailureReport {
  items: FailureGroup[];
  /** From when on all are counted, as there are more than 100,000; null: all of the time that was asked for. */
  countedFrom: Date | null;
}
