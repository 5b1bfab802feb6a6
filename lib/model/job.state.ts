import type { JobState } from './job.js';
import type { TriggerType } from './trigger.js';
import type { RunVerdict } from './verdict.js';

/** What the state of a recurring job is derived from. */
export interface RecurringFacts {
  triggerType: TriggerType;
  orphaned: boolean;
  paused: boolean;
  /** A pause of its handler, its queue, its namespace or of everything stops it. */
  stopped: boolean;
  /** One of its runs is claimed by a worker, or open. */
  claimed: boolean;
  /** One of its runs is due, now or later. */
  waits: boolean;
  /** It has a next nominal time, or will have one when a run ends (fixed delay). */
  hasCursor: boolean;
  /** Attempts that came to their end; those handed back do not count. */
  finishedAttempts: number;
  /** Of the last run that has ended. */
  lastVerdict: RunVerdict | null;
}

/** What the state of a one-off is derived from: its single run. */
export interface OneOffFacts {
  verdict: RunVerdict | null;
  /** By a worker, or open. */
  claimed: boolean;
  /** Kept from becoming due by a pause. */
  held: boolean;
  /** A pause of its handler, its queue, its namespace or of everything stops it. */
  stopped: boolean;
  /** For the end of other jobs. */
  waitsForJobs: boolean;
  /** Attempts begun. */
  attempt: number;
}

const stateOfVerdict: Readonly<Record<RunVerdict, JobState>> = {
  succeeded: 'completed',
  failed: 'failed',
  timed_out: 'failed',
  lost: 'failed',
  cancelled: 'cancelled',
};

/** The state of a job that stands for many runs, or is declared with one instant. The first rule that fits decides; SQL storages mirror it. */
export function recurringState(facts: RecurringFacts): JobState {
  if (facts.orphaned) return 'orphaned';
  if (facts.paused) return 'paused';
  if (facts.claimed) return 'running';
  const manual = facts.triggerType === 'manual';
  const hasFuture = facts.hasCursor || facts.waits || manual;
  // The one of a single instant is over with that, so it is how that has ended.
  const ending = facts.triggerType === 'at' ? facts.lastVerdict : null;
  if (!hasFuture) return ending === null ? 'completed' : stateOfVerdict[ending];
  if (facts.stopped) return 'paused';
  return facts.finishedAttempts === 0 ? 'pending' : 'scheduled';
}

/** The state of a one-off. The first rule that fits decides; SQL storages mirror it. */
export function oneOffState(facts: OneOffFacts): JobState {
  if (facts.verdict !== null) return stateOfVerdict[facts.verdict];
  if (facts.claimed) return 'running';
  if (facts.held || facts.stopped) return 'paused';
  if (facts.waitsForJobs) return 'waiting';
  return facts.attempt === 0 ? 'pending' : 'scheduled';
}
