import type { JobOrder } from '../model/job.js';
import type { RunState } from '../model/run.js';
import type { Outcome } from '../model/verdict.js';

/** Runs that were put off, since no live worker of their app has both their handler and their queue. */
export interface Deferral {
  /** null: of any. */
  app: string | null;
  handler: string;
  queue: string;
  runs: number;
}

/** By how much `deferStranded` puts runs off, at least and at most. */
export const deferralMs = { least: 30_000, most: 10 * 60_000 } as const;

export interface PageRequest {
  /** 1–1,000. @default 100 */
  limit?: number;
  /** From the previous page; another text is refused with InvalidOptionError. */
  cursor?: string;
}
/** One of jobs. */
export interface JobPageRequest extends PageRequest {
  /** A cursor belongs to one order. @default 'id' */
  orderBy?: JobOrder;
}
export interface RunFilter {
  namespace?: string;
  jobId?: string;
  runId?: string | string[];
  state?: RunState | RunState[];
  handler?: string | string[];
  queue?: string | string[];
  /** Of runs with a verdict: when they got it. */
  finishedAfter?: Date;
  finishedBefore?: Date;
  /** Of the last attempt that failed. */
  fingerprint?: string | string[];
}
export interface AttemptFilter {
  namespace?: string;
  jobId?: string;
  runId?: string;
  outcome?: Outcome | Outcome[];
  finalOnly?: boolean;
  /** Of what has failed: one of its kind, see `Attempt.fingerprint`. */
  fingerprint?: string | string[];
}
/** Which failures are to be grouped. */
export interface FailureFilter {
  /** Of attempts that ended from then on. */
  from: Date;
  /** Before then. */
  until: Date;
  namespace?: string;
  handler?: string | string[];
  /** Only kinds of which the ledger has none that is older. */
  newSince?: Date;
}
/** The newest so many failures are counted. */
export const mostFailures = 100_000;
export interface GapFilter {
  namespace?: string;
  jobId?: string;
}
