import type { Job, JobDefinition, JobFilter, JobRef, JobSource, Page, Pause } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import type { ScopeRef } from '../model/pause.js';
import type { Pruned, Retention } from '../model/retention.js';
import type { OverlapPolicy, Policies } from '../model/policies.js';
import type { Attempt, ClaimedRun, Gap, Run, RunState } from '../model/run.js';
import type { Trigger } from '../model/trigger.js';
import type { GapVerdict, Outcome } from '../model/verdict.js';
import type { BackfillOrder, BackfillReport } from './backfill.js';
import type { Beat, BeatOrder } from './beat.js';
import type { EventChannel } from './event.channel.js';
import type { LockAdapter } from './lock.adapter.js';
import type { TransactionManager, TransactionOptions, TransactionWork } from './run.transaction.js';
import type { WakeSignal } from './wake.signal.js';

/** All instants that cross this port are epoch milliseconds of the storage's own clock, unless they are Dates in what users read. */
export type EpochMs = number;

// ── Definitions ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * A job to be stored. One-offs (`trigger.type === 'at'`) given to `insertJobs` become a run and nothing else. Those declared in code
 * (`syncDefinitions`) are kept as jobs with a cursor of one instant, or the next deploy would take them for new and run them again.
 */
export interface NewJob extends JobDefinition {
  source: JobSource;
  app: string | null;
  definitionHash: string;
  /** The first nominal time; null: nothing to fire (manual, or ended). For one-offs: when it is due. */
  nextAt: EpochMs | null;
}

/** What to do when the id is taken. `ignore` returns the existing job; `replace` gives it the new definition and time, and keeps its history. */
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
  /** `changes`: what was written. `conflicts`: ids that are taken by jobs which are not this app's own code; nothing was written for them. */
  | { status: 'synced'; generation: number; changes: DefinitionChange[]; conflicts: JobRef[] };

// ── Workers ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface WorkerRegistration {
  /** Random for every registration; never used again. */
  id: string;
  /** The name of the instance, for people. */
  name: string;
  app: string;
  generation: number | null;
  host: string;
  pid: number;
  version: string;
  /** `process.versions.tz`. */
  zoneData: string;
  queues: readonly string[];
  handlers: readonly string[];
}

/** A worker that is or was alive. */
export interface WorkerInfo extends WorkerRegistration {
  startedAt: Date;
  leaseUntil: Date;
  running: number;
}

export interface Renewal {
  now: EpochMs;
  /** null: the lease has ended or was taken away. It cannot be revived: its runs may be others' already. */
  leaseUntil: EpochMs | null;
  /** Runs held by this worker that somebody asked to cancel. */
  cancelled: string[];
}

/** What a worker can execute. */
export interface Capability {
  workerId: string;
  queues: readonly string[];
  handlers: readonly string[];
}

// ── The loop ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A recurring job whose next nominal time has come. */
export interface DueCursor {
  jobUid: string;
  jobId: string;
  namespace: string;
  handler: string;
  nominalAt: EpochMs;
  revision: number;
  /** Nominal instants fired so far under this trigger: setting the cursor by a changed definition begins anew, a resume goes on. */
  fired: number;
  trigger: Trigger;
  timeZone: string;
  policies: Partial<Policies>;
}

/** One occurrence to be born. */
export interface Birth {
  nominalAt: EpochMs;
  /** Nominal time plus jitter. */
  dueAt: EpochMs;
  /** Earlier instants that this run stands for. */
  missed: number;
}

/** A range of instants that will not run. */
export interface NewGap {
  from: EpochMs;
  until: EpochMs;
  verdict: GapVerdict;
  count: number;
  reason: string;
}

/** What shall happen to one due cursor. */
export interface Firing {
  jobUid: string;
  /** The cursor as it was read: the compare of the compare-and-set. */
  nominalAt: EpochMs;
  revision: number;
  /** null: there is no further instant; the cursor goes. Infinity (fixed delay): the cursor waits for the run to end. */
  nextAt: EpochMs | null;
  /** New total of fired instants. */
  fired: number;
  /** `wait`: nothing happens, so the cursor stays, while a run of the job has no verdict. */
  overlap: OverlapPolicy | 'wait';
  /** In order of nominal time. */
  births: readonly Birth[];
  gaps: readonly NewGap[];
}

export interface FireResult {
  now: EpochMs;
  /** jobUids whose cursor was moved by this call; the others were fired or changed by somebody else. */
  moved: string[];
  /** Runs born claimed by this worker. */
  runs: ClaimedRun[];
  /** Runs born for anybody, since there was no room, they are due later, or they are blocked. */
  unclaimed: number;
  /** Instants not run because an earlier run was not finished. */
  skipped: { jobUid: string; nominalAt: EpochMs }[];
}

export interface ClaimResult {
  now: EpochMs;
  runs: ClaimedRun[];
}

/** How an attempt ended. */
export interface Settlement {
  runId: string;
  fence: number;
  /**
   * `handed_back`: the worker shuts down; the run becomes due again, fence + 1, and the attempt is not counted. If its job was deleted or
   * somebody asked to cancel it, it ends as `cancelled` instead. `snoozed`: the same by the wish of the handler, due at `retryAt`.
   */
  outcome: Outcome;
  startedAt: EpochMs;
  finishedAt: EpochMs;
  /** Another attempt is due then; null: this outcome is the verdict. Ignored (so: final) when the job was deleted meanwhile or somebody asked to cancel the run. */
  retryAt: EpochMs | null;
  error: string | null;
  result: JsonValue;
  /** A one-off to be born if `outcome` becomes the verdict of the run; null or absent: none. See `callbackOf`. */
  callback?: NewJob | null;
}

/** A run that a worker gives back unstarted: no attempt, no ledger row. */
export interface Unstarted {
  runId: string;
  fence: number;
}

export interface NextWake {
  now: EpochMs;
  /** The earliest cursor that this worker can fire; may be in the past. null: none. */
  cursorAt: EpochMs | null;
  /** When the earliest unclaimed run that this worker can execute is due; may be in the past. null: none. */
  runAt: EpochMs | null;
  /** When the lease of some other worker that still holds runs ends (or ended). null: none. */
  leaseEndsAt: EpochMs | null;
}

export interface ReleaseResult {
  now: EpochMs;
  /** Those whose runs were taken back by this call. */
  workers: string[];
  /** Each with what became of it. */
  runs: {
    runId: string;
    jobId: string;
    namespace: string;
    handler: string;
    worker: string;
    verdict: 'lost' | 'cancelled' | null;
  }[];
}

/** A cursor whose next time was computed with older zone data. */
export interface StandingCursor extends JobRef {
  trigger: Trigger;
  timeZone: string;
  nextAt: EpochMs;
  /** The last instant that was dealt with, or, later than that, the job's last change: what the next time is a function of. */
  since: EpochMs;
}

/** Where a cursor belongs; null: nowhere. */
export type CursorPlan = (cursor: StandingCursor) => EpochMs | null;

export interface Recomputation {
  /** The version that the times had been computed with; null: there was nothing to do. */
  from: string | null;
  /** The cursors that stand elsewhere now. */
  moved: (JobRef & { from: EpochMs; to: EpochMs | null })[];
}

// ── Queries ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs that were put off, since no live worker has both their handler and their queue. */
export interface Deferral {
  handler: string;
  queue: string;
  runs: number;
}

/** By how much `deferStranded` puts runs off. */
export const deferralMs = 30_000;

export interface PageRequest {
  /** 1–1,000. @default 100 */
  limit?: number;
  /** From the previous page. */
  cursor?: string;
}
export interface RunFilter {
  namespace?: string;
  jobId?: string;
  runId?: string;
  state?: RunState | RunState[];
  handler?: string | string[];
  queue?: string | string[];
  /** Of runs with a verdict: when they got it. */
  finishedAfter?: Date;
  finishedBefore?: Date;
}
export interface AttemptFilter {
  namespace?: string;
  jobId?: string;
  runId?: string;
  outcome?: Outcome | Outcome[];
  finalOnly?: boolean;
}
export interface GapFilter {
  namespace?: string;
  jobId?: string;
}

/** What users do with jobs: all of it can also be part of a transaction of theirs, see `StorageAdapter.joined`. */
export type JobStore = Pick<
  StorageAdapter,
  | 'insertJobs'
  | 'getJob'
  | 'queryJobs'
  | 'countJobs'
  | 'updateJob'
  | 'deleteJob'
  | 'pauseJob'
  | 'resumeJob'
  | 'cancelRun'
  | 'cancelJob'
  | 'runNow'
  | 'backfill'
  | 'pauseScope'
  | 'resumeScope'
  | 'queryPauses'
  | 'retryRuns'
  | 'discardRuns'
  | 'queryRuns'
  | 'queryAttempts'
  | 'queryGaps'
>;

/**
 * Where jobs live and where workers meet. The contract of every adapter; `storageLaws` from `nestjs-chronis/testing`
 * checks it.
 *
 * Common promises: every method is atomic (all of it happens, or nothing), safe to call concurrently from any number
 * of processes, and rejects only when it cannot say what happened or when the storage cannot be reached. The storage's
 * clock alone decides what is due and when a lease has ended. Text is stored exactly; the engine has validated it.
 * @publicApi
 */
export abstract class StorageAdapter {
  /** For logs, such as `memory` or `postgres`. */
  abstract readonly kind: string;
  /** Whether other processes see the same jobs. */
  abstract readonly shared: boolean;
  /** The storage's own lock: used when the module is given none. */
  abstract readonly lock: LockAdapter;
  /** Tells others at once of what is new; absent: workers poll. */
  readonly wakeSignal?: WakeSignal;
  /** Carries events to other instances; absent: it cannot. */
  readonly eventChannel?: EventChannel;

  /** Connects and brings the schema up to date. Safe when several processes do it at once. Rejects with StorageError. */
  abstract init(): Promise<void>;
  /** Gives everything back. Later calls reject. */
  abstract close(): Promise<void>;
  /** The storage's clock. */
  abstract now(): Promise<EpochMs>;

  // ── Definitions

  /**
   * Makes the stored jobs of one app agree with one set of declarations, in one transaction. Touches only jobs with
   * `source: 'code'` of this app. Generations are ordered by when their set was first seen; while a live worker of the
   * app runs a newer generation nothing is written.
   */
  abstract syncDefinitions(request: SyncRequest): Promise<SyncResult>;
  /**
   * Declared jobs that no live worker's generation declares: notes since when, and orphans those for which that is
   * `graceMs` or longer. Those declared again are adopted. Returns what was orphaned by this call.
   */
  abstract orphanUndeclared(app: string, graceMs: number): Promise<JobRef[]>;

  // ── Jobs

  /** Stores many jobs at once; one result per item, in order. Ids are unique in their namespace, across recurring jobs and one-offs. Wakes others if due soon. */
  abstract insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]>;
  abstract getJob(ref: JobRef): Promise<Job | null>;
  /** Ordered by namespace and id; a page's cursor stays valid while jobs come and go. */
  abstract queryJobs(filter: JobFilter, page: PageRequest): Promise<Page<Job>>;
  abstract countJobs(filter: JobFilter): Promise<number>;
  /**
   * Changes a definition. A run that goes on is not touched, its retries use the new definition; a one-off that runs while its
   * time is changed goes on detached and the job is due anew. With `expectedRevision`, 'stale' when the job has changed.
   */
  abstract updateJob(
    ref: JobRef,
    patch: JobPatch,
    expectedRevision?: number,
  ): Promise<Job | 'not-found' | 'stale'>;
  /** Removes a job. Its waiting runs end as `cancelled`; a run that goes on ends with its attempt, without retries. False: not found. */
  abstract deleteJob(ref: JobRef): Promise<boolean>;
  /**
   * The cursor goes, an open gap begins where it stood, waiting runs are held. Running ones go on; one that comes back (for a retry, or from
   * a lost worker) is held. Pausing a paused job keeps the first pause, and a job with a verdict stays as it is. Null: not found.
   */
  abstract pauseJob(ref: JobRef, pause: Pick<Pause, 'reason' | 'by'>): Promise<Job | null>;
  /**
   * Sets the cursor to `nextAt` of the plan, replaces the open gap by its `gap` (null: nothing was missed); held runs are due again at their
   * old times. `pausedFrom`: the first instant that did not run, where the cursor stood; null: it had none, or waited for the end of a run. One-offs need no plan. A job that is not paused stays as it is. Null: not found.
   */
  abstract resumeJob(
    ref: JobRef,
    plan: (
      job: { trigger: Trigger; timeZone: string; id: string; pausedFrom: EpochMs | null },
      now: EpochMs,
    ) => { nextAt: EpochMs | null; gap: NewGap | null },
  ): Promise<Job | null>;
  /** `cancelJob` for one run. `cancelled`: it waited and has ended · `requested`: its worker is asked · null: no run without verdict has this id. */
  abstract cancelRun(runId: string): Promise<'cancelled' | 'requested' | null>;
  /** Ends waiting runs as `cancelled`, asks the workers of running ones to abort them. Recurring jobs go on with their next instant. Returns how many runs were concerned, null: not found. */
  abstract cancelJob(ref: JobRef): Promise<number | null>;
  /**
   * A run due now, beside whatever goes on; also while the job is paused. A one-off that waits becomes due now, which ends its pause; one that
   * runs is returned as it is; one with a verdict gets a new run (`origin: 'retry'`). Null: not found.
   */
  abstract runNow(ref: JobRef): Promise<Run | null>;
  /**
   * Gives past instants of a recurring job a run each (`origin: 'backfill'`, the payload and policies of the job), also while the job is paused: held only by
   * a later pause. They are beside the schedule: overlap takes no notice of them, nor they of it, and no total of fired instants counts them. Each
   * instant gets at most one, however many ask at once: what is active, has succeeded (unless asked for) or is the schedule's own is left out and
   * counted. Whatever ends a run that others wait for lets the next go in the same step. Null: there is no recurring job.
   */
  abstract backfill(ref: JobRef, order: BackfillOrder): Promise<BackfillReport | null>;

  // ── Pauses of a handler, a queue, a namespace, or everything

  /**
   * Of a scope that is paused no cursor fires, also by a firing that was planned before, and no run is claimed, also one made by hand; `nextWakeAt` passes over
   * them. What is running goes on, and comes to its end. Pausing a paused scope keeps the first pause.
   */
  abstract pauseScope(scope: ScopeRef, pause: Pick<Pause, 'reason' | 'by'>): Promise<StoredPause>;
  /**
   * Ends the pause of a scope. Of its cursors those that fell due, and that no other pause of a scope stops, are moved as the plan says, and its gap goes on
   * record. Runs are due at their old times. False: the scope is not paused.
   */
  abstract resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean>;
  /** The oldest first. */
  abstract queryPauses(): Promise<StoredPause[]>;

  // ── Dead letters: runs that failed, timed out or were lost. A recurring job's newest 1,000 are kept, for as long as the ledger.

  /**
   * Gives each of these dead letters a new run, due now: with a higher id, `origin: 'retry'`, `retryOf` and the old nominal time, by the definition that the
   * job has now, also while the job is paused. The old row goes. Returns the new runs; what is no dead letter (any more) is passed over.
   */
  abstract retryRuns(runIds: readonly string[]): Promise<Run[]>;
  /** Removes these dead letters, and with them the one-offs that they are; the ledger keeps its rows. Returns which; what is no dead letter is passed over. */
  abstract discardRuns(runIds: readonly string[]): Promise<string[]>;

  // ── Workers and their leases

  /** Begins a lease. */
  abstract register(
    worker: WorkerRegistration,
    leaseMs: number,
  ): Promise<{ now: EpochMs; leaseUntil: EpochMs }>;
  /** Prolongs the lease of a worker, and so its hold on all its runs, in one step. Refused once the lease has ended. */
  abstract renew(workerId: string, leaseMs: number, running: number): Promise<Renewal>;
  /**
   * Begins to renew the lease from outside the event loop, when that has not done so for half of the lease although it ticked within
   * `maxBlockedMs`. Absent, or null: not possible here. Rejects when it should be, but is not.
   */
  startBeat?(order: BeatOrder): Promise<Beat | null>;
  /** Replaces what a live worker can execute. */
  abstract updateWorker(
    workerId: string,
    change: Pick<WorkerRegistration, 'handlers' | 'generation'>,
  ): Promise<void>;
  /** Ends the lease at once; runs it still holds are released by the next `releaseLost`. */
  abstract unregister(workerId: string): Promise<void>;
  abstract queryWorkers(): Promise<WorkerInfo[]>;
  /**
   * Takes back the runs of workers whose lease has ended: each becomes due again with a ledger row `lost`, or ends (`lost`
   * for `recovery: 'abandon'`, for a job deleted meanwhile and after `maxLost`; `cancelled` where asked). Runs of live workers are never touched.
   * What ends as `lost` gives birth to the `onFailure` of its job as it is now, like `settle`; that of a deleted job to none.
   */
  abstract releaseLost(): Promise<ReleaseResult>;

  /**
   * Computes the next times anew when `zoneData` (such as `2026a`) is newer than the version noted with them, and notes it; one caller does it for all. The first
   * caller ever only notes its version. Nobody fires a cursor while it is moved.
   */
  abstract recomputeCursors(zoneData: string, plan: CursorPlan): Promise<Recomputation>;

  // ── The loop

  /** Cursors that are due and whose handler and queue this worker has, earliest first. */
  abstract dueCursors(capability: Capability, limit: number): Promise<{ now: EpochMs; cursors: DueCursor[] }>;
  /**
   * Moves cursors and gives birth to their occurrences. Per job: only if cursor and revision are as read, so of any number of
   * concurrent firers exactly one creates an occurrence. Up to `room` runs that are due by now are born claimed by this
   * worker, if its lease holds. A firing whose worker has no lease still fires; its runs are for anybody.
   *
   * An instant that meets a run of its job without verdict, or an earlier birth of the same firing: overlap `skip` leaves it out; `queue` has it
   * born blocked, or leaves it out where one is blocked already; `cancel-running` ends what waits as `cancelled`, asks for the cancellation of what is
   * claimed, and has it born blocked by that (of several births only the last is born). What is left out is a gap `skipped`. A blocked run cannot be
   * claimed; it is due, by its own time, in the step that ends the last of the runs that were there when it was born.
   */
  abstract fire(capability: Capability, firings: readonly Firing[], room: number): Promise<FireResult>;
  /**
   * Hands due runs to a worker: by priority, then due time, never more than `limit`. No run is ever handed to two workers while
   * the lease of the first holds. Nothing for a worker without a lease. Each claim raises fence and attempt by one.
   */
  abstract claim(capability: Capability, limit: number): Promise<ClaimResult>;
  /**
   * Records how attempts ended and what becomes of their runs, each addressed by (run, fence) alone. Returns the run ids that were accepted;
   * the others were lost to another owner or settled before, and nothing was written for them.
   *
   * The callback of a settlement that decides its run is born in the same step, with the origin `callback`, due now; where its id is taken by hand, it
   * is left out.
   *
   * Whatever ends a run of a recurring job (this, `releaseLost`, a cancel) moves a cursor that stands at Infinity to the end of the run + the
   * trigger's `every` (trigger mode `fixed-delay`). A one-off with `keepMs: 'none'` gets no rows in the ledger, by whatever end its attempts come to.
   */
  abstract settle(settlements: readonly Settlement[]): Promise<string[]>;
  /**
   * Runs `work` in one transaction with the settlement that `conclude` makes of its value: both are committed, or neither. The settlement is
   * the last statement before the commit; refused like by `settle`, everything is rolled back with ClaimLostError. Rejects with
   * TransactionNotSupportedError, before `work` is called, if the DataSource is not proven to be on the storage's own database. Never
   * repeats `work`. Absent: the storage has no transactions to share.
   */
  transaction?<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement,
    options: TransactionOptions,
  ): Promise<T>;
  /**
   * The same methods within a transaction that the caller began and will end: what they do is seen by others from its commit on, and never if it is
   * rolled back. One that rejects, or that finds an id taken, has done nothing and leaves the transaction as usable as it was; deadlocks are
   * tried again behind a savepoint. Calls at once on one transaction take turns. Nobody is told to wake, unless the adapter was asked to.
   * The time is that of the call, not of the beginning of the transaction.
   *
   * Null: the manager is in no transaction. Rejects with InvalidOptionError (no manager), and, here or at the first call, with TransactionNotSupportedError
   * if it is not proven to be on the storage's own database. Absent: the storage has no transactions to share.
   */
  joined?(manager: TransactionManager): Promise<JobStore | null>;
  /** Gives back claimed runs that were never started: due again at once, fence + 1, attempt as before the claim; or ended like `handed_back`. Stale ones are passed over. */
  abstract giveBack(runs: readonly Unstarted[]): Promise<void>;
  /** The ids of all runs that the storage believes this worker holds: for what was claimed by a call whose answer was lost. */
  abstract heldBy(workerId: string): Promise<Unstarted[]>;
  /** When to look again. */
  abstract nextWakeAt(capability: Capability): Promise<NextWake>;

  // ── The record

  /** Newest first. */
  abstract queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<Run>>;
  /** The ledger, newest first. */
  abstract queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>>;
  abstract queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>>;
  /**
   * Lifts runs that have been due for more than a minute by one level of priority for each minute, so that nothing starves; not those that a pause stops. The
   * level counts for claims only, and until the end of the attempt. Bounded work per call, the longest overdue first. Returns how many were lifted.
   */
  abstract liftOverdue(): Promise<number>;
  /**
   * Has due runs that no live worker can execute be due 30 s from now, so that they are not in the way of others; not those that a pause
   * stops. Bounded work per call.
   */
  abstract deferStranded(): Promise<Deferral[]>;
  /**
   * Deletes ledger rows, closed gaps, dead letters of recurring jobs and kept one-offs older than their time; bounded work per call. Dead letters stay for as
   * long as the longest of `failed`, `timed_out` and `lost`.
   */
  abstract prune(retention: Retention): Promise<Pruned>;
}
