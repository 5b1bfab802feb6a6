import type { JobChanges } from './job.changes.js';
import type { JsonObject, JsonValue } from './json.js';
import type { Policies } from './policies.js';
import type { Trigger, TriggerType } from './trigger.js';
import type { RunVerdict } from './verdict.js';

/**
 * What users see of a job; derived from job, cursor and runs, never stored. @publicApi
 *
 * `pending` never ran, and will · `scheduled` ran, and will again, or waits for a retry · `running` · `paused` by itself, or with its handler, queue or namespace · `failed` a
 * one-off, or a job declared with one instant, that gave up (retryable by hand) · `waiting` for other jobs · `completed` nothing left to fire, or a one-off
 * kept by `keep` · `cancelled` · `orphaned` declared in code, by no live worker any more, or yet. With a picture: docs/reference/states.md.
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
  /** When it ends by itself; null: when somebody resumes it. */
  until: Date | null;
}

/** What a pause is of that keeps a job from going on: of the job itself, of its handler, its queue or its namespace, or of everything. @publicApi */
export type PausedBy = 'job' | 'handler' | 'queue' | 'namespace' | 'all';

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
  /** Its own pause; those of its handler, queue or namespace are told by `getPauses()`. */
  paused: Pause | null;
  /** What keeps it from going on, of several pauses the narrowest; null: none does, or it is a one-off that has ended. */
  pausedBy: PausedBy | null;
  orphanedAt: Date | null;
  /** What was changed at run time of a job that the code declares; it stays over what deploys bring, until `resetJob`. null: nothing. */
  changed: JobChanges | null;
  /** The next nominal time, or the time of the next retry of a one-off; null: none. */
  nextRunAt: Date | null;
  /** Of a one-off with `after` that has not been let go: the ids of those of its jobs that have not succeeded, in their order. null: it waits for none. */
  waitsFor: string[] | null;
  /** Finished attempts. */
  runCount: number;
  /** Attempts that failed, timed out or were lost. */
  errorCount: number;
  /** Failed occurrences since the last success; retries of them by hand are none. */
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
  /** `scheduled` finds those that never ran as well, which are `pending`. */
  state?: JobState | JobState[];
  pausedBy?: PausedBy | PausedBy[];
  /** Whose next time is before this instant. */
  nextBefore?: Date;
  handler?: string | string[];
  queue?: string | string[];
  triggerType?: TriggerType | TriggerType[];
  source?: JobSource;
  app?: string;
  /** This id, or one of these, in whatever namespace. */
  id?: string | string[];
  /** Ids that begin with this text. */
  idPrefix?: string;
  /** Containment: every path given must be there with this value, at any depth; of a list, each element given must be among the stored ones. */
  metadata?: JsonObject;
}

/** `id`: by namespace and id. `nextRunAt`: by the next time, the earliest first; without those that have none. @publicApi */
export type JobOrder = 'id' | 'nextRunAt';

/** One page; pass `cursor` back to get the next, null: there is none. @publicApi */
export interface Page<T> {
  items: T[];
  cursor: string | null;
}
