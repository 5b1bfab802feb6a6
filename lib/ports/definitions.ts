import type { Job, JobDefinition, JobRef, JobSource, Pause } from '../model/job.js';
import type { ScopeRef } from '../model/pause.js';
import type { ChangedDefinition, StoredChanges } from '../model/job.changes.js';
import type { Trigger } from '../model/trigger.js';
import type { CarriedSet, Declaration } from './declarations.js';
import type { EpochMs } from './epoch.ms.js';
import type { NewGap } from './loop.js';
import type { WorkerRegistration } from './workers.js';

/**
 * A job to be stored. One-offs (`trigger.type === 'at'`, and `'after'`, which wait for others) given to `insertJobs` become a run and nothing else. Those declared in code
 * (`syncDefinitions`) are kept as jobs with a cursor of one instant, or the next deploy would take them for new and run them again.
 */
export interface NewJob extends JobDefinition {
  source: JobSource;
  /** Whose handler is meant; null: that of any app. */
  app: string | null;
  /** Of a declared job: names the definition by its content. Empty for others. */
  definitionHash: string;
  /** The first nominal time; null: nothing to fire (manual, or ended). For one-offs, and what is given in place of a declared one: when it is due; null: now, or, with `after`, when the others allow it. */
  nextAt: EpochMs | null;
  /** The id was made for this job and nobody else knows it, so that a storage need not look whether it is taken first. @default false */
  newId?: boolean;
  /** Of a one-off that `insertJobs` stores, or that a settlement gives birth to: the trace that its run carries, see `CarriedTrace`. What takes the place of another job, and what recurs, carries none. @default none */
  trace?: string;
  /** Of a recurring job that `insertJobs` gives the place of another: its schedule, by the one that stands there under the lock. null: as given. Pure. @default as given */
  over?: (stored: StoredSchedule) => ScheduleOver | null;
}

/** What a job has that is replaced. */
export type StoredSchedule = Pick<JobDefinition, 'trigger' | 'timeZone'> & { source: JobSource };

/** The schedule that a job gets, and its first time; `nextAt` absent: that which it has. */
export interface ScheduleOver {
  trigger: Trigger;
  nextAt?: EpochMs | null;
}

/** What takes the place of a stored job, and when it is due first; undefined: when that is. */
export function replacementOf(
  given: NewJob,
  { source, definition: { trigger, timeZone } }: { source: JobSource; definition: JobDefinition },
  now: EpochMs,
): { job: NewJob; nextAt: EpochMs | null | undefined } {
  const over = given.over?.({ source, trigger, timeZone }) ?? null;
  if (over === null) return { job: given, nextAt: firstTimeOf(given, now) };
  return { job: { ...given, trigger: over.trigger }, nextAt: over.nextAt };
}

/** When what takes the place of another job is due first; null: see `NewJob`. */
export function firstTimeOf({ nextAt, trigger }: NewJob, now: EpochMs): EpochMs | null {
  return nextAt ?? (trigger.type === 'at' ? now : null);
}

/** What to do when the id is taken. `ignore` returns the existing job; `replace` gives it the new definition, time and app, and keeps its history; a declared job stays its code's, of which it is a change at run time. */
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
  /** Of a declared job: all that is changed at run time, once the patch is applied. What is not among it goes with the next deploy. null: nothing is. */
  changed?: StoredChanges | null;
}

/** Why a declared job does not fire: no live worker declares it · its method runs under another id. */
export type OrphanReason = 'undeclared' | 'superseded';

/** What the sync needs to know of a stored job of the app, or of one of another app that this app may take over. */
export interface StoredDefinition extends JobRef {
  uid: string;
  app: string;
  definitionHash: string;
  trigger: Trigger;
  timeZone: string;
  /** What the code says, as of all that was changed at run time: see `changed`. */
  handler: string;
  /** With what was changed at run time; null: nothing was. */
  changed: ChangedDefinition | null;
  /** The ids that it had, the latest last. */
  previousIds: readonly string[];
  paused: boolean;
  orphanedAt: EpochMs | null;
  orphanedReason: OrphanReason | null;
  /** The last instant that a firing has dealt with. */
  firedUntil: EpochMs | null;
}

/** What the sync decides for one job. What it names of another app is taken over. */
export type DefinitionChange =
  | {
      kind: 'insert';
      job: NewJob;
      /** Born as an orphan: it does not fire until it is adopted, and its place is kept as an open gap. @default false */
      orphaned?: boolean;
    }
  /** Rewrites the definition; `id` may differ (a rename that keeps the history). With `moveCursor` the cursor is set (unless paused), without it stays. Ends being orphaned: like `adopt`, or, with a moved cursor, closing the open gap. */
  | {
      kind: 'update';
      uid: string;
      job: NewJob;
      moveCursor: boolean;
      /** What is changed at run time over the declaration, and part of `job`. @default null */
      changed?: StoredChanges | null;
    }
  /** Ends being orphaned: the cursor returns to where it stood, and the misfire policy decides about the time between. With `nextAt`: it goes on there, and what it owed until now, and what its schedule passes over until then, stays a gap. */
  | { kind: 'adopt'; uid: string; nextAt?: EpochMs | null }
  /** Stops firing at once; the cursor's place is kept as an open gap. */
  | { kind: 'orphan'; uid: string; reason: OrphanReason }
  | { kind: 'delete'; uid: string };

export interface SyncPlan {
  changes: readonly DefinitionChange[];
  /** Jobs that the set declares otherwise than they are: the word of other sets holds. */
  outranked: readonly JobRef[];
}

/** A set that its worker may carry without a sync. */
export interface SyncedSet {
  generation: number;
  /** As the last sync found. */
  outranked: JobRef[];
  /** The declared jobs of the app that are changed at run time. */
  changed: ChangedJob[];
}

/** A declared job that is changed at run time, and in what. */
export interface ChangedJob extends JobRef {
  changes: StoredChanges;
}

export interface SyncRequest {
  app: string;
  /** Hash of the whole set of declarations: names it. */
  setHash: string;
  declarations: readonly Declaration[];
  /** The worker that carries the set; null: nobody does, so it does not appear and nothing is noted of it. Such a plan inserts orphans, and does nothing else. */
  workerId: string | null;
  /** The worker is registered in the same step; and if an id is taken, nothing at all is written. */
  registration?: { worker: WorkerRegistration; leaseMs: number };
  /** A set or declaration that no worker has carried for so long appears anew when one does, and an app that had no worker for so long gives its jobs away. */
  graceMs: number;
  /** Apps whose jobs this one takes over, whatever their workers do. */
  previousApps: readonly string[];
  /** Pure: from what is stored, and which sets are carried or were within the grace, to what shall change. */
  plan(stored: readonly StoredDefinition[], carried: readonly CarriedSet[], now: EpochMs): SyncPlan;
}

export type SyncResult =
  /** Ids are taken, by jobs which are not this app's own code, or since live workers of another app have the job of this handler under another id. Nothing was written, and no worker registered. */
  | { status: 'refused'; conflicts: JobRef[] }
  /** `changes`: what was written. `conflicts`: ids that are taken; nothing was written for them.
   * `postponed`: jobs of which somebody else has something locked at present, and that stay as they are. A sync waits for them for a moment at most, and is to be tried again. */
  | {
      status: 'synced';
      /** The number of the set; 0: nobody carries it. */
      generation: number;
      now: EpochMs;
      changes: DefinitionChange[];
      conflicts: JobRef[];
      postponed: JobRef[];
    };
