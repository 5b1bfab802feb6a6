import type { Job, JobDefinition, JobRef, JobSource, Pause } from '../model/job.js';
import type { ScopeRef } from '../model/pause.js';
import type { Trigger } from '../model/trigger.js';
import type { EpochMs } from './epoch.ms.js';
import type { NewGap } from './loop.js';

/**
 * A job to be stored. One-offs (`trigger.type === 'at'`) given to `insertJobs` become a run and nothing else. Those declared in code
 * (`syncDefinitions`) are kept as jobs with a cursor of one instant, or the next deploy would take them for new and run them again.
 */
export interface NewJob extends JobDefinition {
  source: JobSource;
  /** Whose handler is meant; null: that of any app. */
  app: string | null;
  /** Of a declared job: names the definition by its content. Empty for others. */
  definitionHash: string;
  /** The first nominal time; null: nothing to fire (manual, or ended). For one-offs: when it is due. */
  nextAt: EpochMs | null;
  /** The id was made for this job and nobody else knows it, so that a storage need not look whether it is taken first. @default false */
  newId?: boolean;
}

/** What to do when the id is taken. `ignore` returns the existing job; `replace` gives it the new definition, time and app (not to a declared job, which stays its code's), and keeps its history. */
export type ConflictPolicy = 'raise' | 'ignore' | 'replace';

/** What became of one item of `insertJobs`; items do not affect each other. `conflict`: the id was taken and the policy is `raise`. */
export type InsertResult = { status: 'created' | 'existing' | 'replaced'; job: Job } | { status: 'conflict' };

/** A pause of everything in a scope. */
export interface StoredPause extends ScopeRef, Pause {}

/** What becomes of a cursor that fell due while its scope was paused. Pure. */
export type ScopeResumption = (
  job: JobRef & { trigger: Trigger; timeZone: string; pausedFrom: EpochMs },
  now: EpochMs,
) => { nextAt: EpochMs | null; gap: NewGap | null };

/** A change to a stored job; absent keys stay as they are. `nextAt` must come with a changed trigger. */
export interface JobPatch extends Partial<Omit<JobDefinition, 'id' | 'namespace'>> {
  /** Not of a declared job: that stays its code's. */
  app?: string;
  nextAt?: EpochMs | null;
}

/** What the sync needs to know of a stored job of the app. */
export interface StoredDefinition extends JobRef {
  uid: string;
  definitionHash: string;
  trigger: Trigger;
  timeZone: string;
  handler: string;
  paused: boolean;
  orphanedAt: EpochMs | null;
  generation: number;
}

/** What the sync decides for one job. */
export type DefinitionChange =
  | { kind: 'insert'; job: NewJob }
  /** Rewrites the definition; `id` may differ (a rename that keeps the history). With `nextAt` the cursor is set (unless paused), without it stays. Ends being orphaned: like `adopt`, or, with a moved cursor, closing the open gap. */
  | { kind: 'update'; uid: string; job: NewJob; moveCursor: boolean }
  /** Ends being orphaned: the cursor returns to where it stood, and the misfire policy decides about the time between. */
  | { kind: 'adopt'; uid: string }
  /** Stops firing at once; the cursor's place is kept as an open gap. */
  | { kind: 'orphan'; uid: string }
  | { kind: 'delete'; uid: string };

export interface SyncRequest {
  app: string;
  /** Hash of the whole set of declarations: names the generation. */
  setHash: string;
  /** The registered worker that runs this set; its generation is noted in the same transaction. null: this process does not work. */
  workerId: string | null;
  /** Namespaced ids (`namespace/id`) that this set declares. */
  declared: readonly string[];
  /** Pure: from what is stored to what shall change. Not called when a newer generation is alive. */
  plan(stored: readonly StoredDefinition[], now: EpochMs): DefinitionChange[];
}

export type SyncResult =
  /**
   * Another live worker of this app runs a newer generation: no job was written. (The worker's own generation is noted all the same, so that
   * what only this set declares is not orphaned while it lives.)
   */
  | { status: 'superseded'; generation: number; by: number }
  /** `changes`: what was written. `conflicts`: ids that are taken by jobs which are not this app's own code; nothing was written for them.
   * `postponed`: jobs that somebody else has locked at present, and that stay as they are: a sync never waits for them, and is to be tried again. */
  | {
      status: 'synced';
      generation: number;
      changes: DefinitionChange[];
      conflicts: JobRef[];
      postponed: JobRef[];
    };
