import type { Job } from '../model/job.js';
import type { ScopePause } from '../model/pause.js';
import type { Attempt, Gap, Run } from '../model/run.js';

/**
 * `ran`: it was begun, and has come to an end · `runs`: it has begun, or is open · `waits`: it is due, or about to be retried · `will-run`: it is to come · `did-not-run` · `will-not-run`: as things stand · `unknown`: the record does not say. @publicApi
 */
export type ExplainedAnswer =
  | 'ran'
  | 'runs'
  | 'waits'
  | 'will-run'
  | 'did-not-run'
  | 'will-not-run'
  | 'unknown';

/** Why. @publicApi */
export type ExplainedCause =
  // It ran, or does
  | 'succeeded'
  | 'failed'
  | 'timed_out'
  | 'lost'
  | 'cancelled'
  | 'running'
  | 'open'
  // It is due, or is to come
  | 'retry'
  | 'overlap-queue'
  | 'no-free-slot'
  | 'isolated-run'
  | 'no-handler'
  | 'queue-not-consumed'
  | 'waits-for-jobs'
  | 'about-to-fire'
  | 'not-yet-due'
  // Something holds it
  | 'paused-job'
  | 'paused-handler'
  | 'paused-queue'
  | 'paused-namespace'
  | 'paused-all'
  | 'orphaned'
  // It was passed over
  | 'overlap-skip'
  | 'misfire'
  | 'misfire-limit'
  | 'paused'
  | 'withdrawn'
  | 'missed'
  | 'excluded'
  // There is no such instant
  | 'not-in-schedule'
  | 'before-start'
  | 'after-end'
  | 'ended'
  | 'created-later'
  | 'clock-was-ahead'
  | 'schedule-changed'
  | 'deleted'
  // Nobody knows
  | 'no-record';

/** The row that decides. @publicApi */
export type DecidingRow =
  | { kind: 'attempt'; attempt: Attempt }
  | { kind: 'run'; run: Run }
  | { kind: 'gap'; gap: Gap }
  | { kind: 'pause'; pause: ScopePause }
  | { kind: 'job'; job: Job };

/** What became of one instant of a job, or will. @publicApi */
export interface Explanation {
  jobId: string;
  namespace: string;
  /** The instant that was asked about. */
  at: Date;
  answer: ExplainedAnswer;
  cause: ExplainedCause;
  /** All in one sentence, with wall times of the zone of the job. */
  sentence: string;
  /** null: it is the schedule that says so, or nothing does. */
  row: DecidingRow | null;
}

/** What an explanation says beside which instant it is about. */
export type Verdict = Omit<Explanation, 'jobId' | 'namespace' | 'at'>;

export function verdict(
  answer: ExplainedAnswer,
  cause: ExplainedCause,
  sentence: string,
  row: DecidingRow | null = null,
): Verdict {
  return { answer, cause, sentence, row };
}
