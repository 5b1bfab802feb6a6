import type { JobChanges } from './job.changes.js';
import type { JsonObject, JsonValue } from './json.js';
import type { Policies } from './policies.js';
import type { Trigger, TriggerType } from './trigger.js';
import type { RunVerdict } from './verdict.js';

/**
 * What users see of a job; derived from job, cursor and runs, never stored. @publicApi
 *
 * `pending` never ran · `scheduled` ran and has a next time or waits for a retry · `running` · `paused` · `failed` a
 * one-off that gave up (retryable by hand) · `waiting` for other jobs · `completed` nothing left to fire, or a one-off
 * kept by `keep` · `cancelled` · `orphaned` declared in code once, in no live code now.
 */
export type JobState =
  | 'pending'
  | 'scheduled'
  | 'running'
  | 'paused'
  | 'failed'
  | 'waiting'
  | 'completed'
  | 'cancelled'
  | 'orphaned';

/** Who created a job. @publicApi */
export type JobSource = 'code' | 'api';

/** Names a job: ids are unique in their namespace. */
export interface JobRef {
  namespace: string;
  id: string;
}

/** Why a job does not fire. @publicApi */
export interface Pause {
  reason: string | null;
  by: string | null;
  at: Date;
}

/** The definition of a job: what users decide. */
export interface JobDefinition extends JobRef {
  name: string | null;
  handler: string;
  queue: string;
  priority: number;
  trigger: Trigger;
  /** IANA name: the trigger's own, or the default it was created under. */
  timeZone: string;
  payload: JsonValue;
  metadata: JsonObject;
  policies: Partial<Policies>;
}

/** A job as users see it: plain data, a snapshot. One-offs are presented the same way. @publicApi */
export interface Job extends JobDefinition {
  source: JobSource;
  /** The application whose handler it names: of a declared job that of its code. Null: any (jobs of older releases that were made at run time). */
  app: string | null;
  state: JobState;
  paused: Pause | null;
  orphanedAt: Date | null;
  /** What was changed at run time of a job that the code declares; it stays over what deploys bring, until `resetJob`. null: nothing. */
  changed: JobChanges | null;
  /** The next nominal time, or the time of the next retry of a one-off; null: none. */
  nextRunAt: Date | null;
  /** Finished attempts. */
  runCount: number;
  /** Attempts that failed, timed out or were lost. */
  errorCount: number;
  /** Failed occurrences since the last success. */
  consecutiveFailures: number;
  /** When the last finished attempt began. */
  lastRunAt: Date | null;
  lastVerdict: RunVerdict | null;
  /** Of the last attempt that failed, see `errorParts`; a later success leaves it. */
  lastError: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** Grows with each change; `updateJob` refuses a stale one when asked to. */
  revision: number;
}

/** Conditions on jobs; all must hold. @publicApi */
export interface JobFilter {
  namespace?: string;
  state?: JobState | JobState[];
  handler?: string | string[];
  queue?: string | string[];
  triggerType?: TriggerType | TriggerType[];
  source?: JobSource;
  app?: string;
  /** Ids that begin with this text. */
  idPrefix?: string;
  /** Containment: every path given must be there with this value, at any depth; of a list, each element given must be among the stored ones. */
  metadata?: JsonObject;
}

/** One page; pass `cursor` back to get the next, null: there is none. @publicApi */
export interface Page<T> {
  items: T[];
  cursor: string | null;
}
