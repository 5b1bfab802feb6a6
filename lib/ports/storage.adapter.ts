import type { FailureReport } from '../model/failure.js';
import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { ScopeRef, StandingPause } from '../model/pause.js';
import type { Pruned, Retention } from '../model/retention.js';
import type { Attempt, ClaimedRun, Gap, ListedRun, Run } from '../model/run.js';
import type { Trigger } from '../model/trigger.js';
import type { AuditFilter, AuditNote, RequestMark, StoredAudit } from './audit.js';
import type { BackfillOrder, BackfillReport } from './backfill.js';
import type { BinaryStorage } from './binaries.js';
import type { BulkActionStorage } from './bulk.actions.js';
import type { BulkChange, BulkOutcome } from './bulk.change.js';
import type { Beat, BeatOrder } from './beat.js';
import type {
  ConflictPolicy,
  InsertResult,
  JobPatch,
  NewJob,
  ScopeResumption,
  StoredPause,
  SyncRequest,
  SyncedSet,
  SyncResult,
} from './definitions.js';
import type { EpochMs } from './epoch.ms.js';
import type { Inheritance } from './inheritance.js';
import type { EventChannel } from './event.channel.js';
import type { AuditedFlowStore, FlowStorage, FlowStore } from './flows.js';
import type { LockAdapter } from './lock.adapter.js';
import type {
  ClaimResult,
  CursorPlan,
  DueCursor,
  FireResult,
  Firing,
  NewGap,
  NextWake,
  Recomputation,
  GiveBackResult,
  Hands,
  Hold,
  ReleaseResult,
  Settlement,
  SettleResult,
  Unstarted,
} from './loop.js';
import type {
  AttemptFilter,
  Deferral,
  FailureFilter,
  GapFilter,
  JobPageRequest,
  PageRequest,
  RunFilter,
} from './queries.js';
import type { RunEnds } from './run.ends.js';
import type { EndedPauses, PauseEndPlans, PauseOrder } from './pause.ends.js';
import type { AnyTransactionOptions, JoinableTransaction, TransactionWork } from './run.transaction.js';
import type {
  NewRunSignal,
  SignalAnswer,
  NewRunStep,
  RunStep,
  RunStepRecord,
  RunStepWait,
  SignalWait,
} from './run.steps.js';
import type { OverdueStore } from './overdue.js';
import type { RollupStorage } from './rollups.js';
import type { RunLogStorage } from './run.logs.js';
import type { RunProgressStorage } from './run.progress.js';
import type { DefinitionStorage } from './versioned.definitions.js';
import type { WakeSignal } from './wake.signal.js';
import type { Stock } from './stock.js';
import type { StoredText } from './stored.text.js';
import type { Capability, Renewal, WorkerCondition, WorkerInfo, WorkerRegistration } from './workers.js';

// The data of the contract, topic by topic.
export * from './audit.js';
export * from './binaries.js';
export * from './bulk.actions.js';
export * from './declarations.js';
export * from './definitions.js';
export * from './epoch.ms.js';
export * from './flows.js';
export * from './inheritance.js';
export * from './loop.js';
export * from './pause.ends.js';
export * from './queries.js';
export * from './overdue.js';
export * from './rollups.js';
export * from './run.logs.js';
export * from './run.progress.js';
export * from './run.steps.js';
export * from './stock.js';
export type { StoredText } from './stored.text.js';
export * from './versioned.definitions.js';
export * from './workers.js';

/**
 * What users do with jobs, and what is read for that: all of it can also be part of a transaction of theirs, see `StorageAdapter.joined`. It then goes by the connection of that
 * transaction alone: whoever holds one must not wait for a second one.
 */
export type JobStore = Pick<
  StorageAdapter,
  | 'insertJobs'
  | 'getJob'
  | 'queryJobs'
  | 'queryRefs'
  | 'countJobs'
  | 'updateJob'
  | 'deleteJob'
  | 'pauseJob'
  | 'resumeJob'
  | 'cancelRun'
  | 'cancelJob'
  | 'changeJobs'
  | 'runNow'
  | 'backfill'
  | 'pauseScope'
  | 'resumeScope'
  | 'queryPauses'
  | 'retryRuns'
  | 'discardRuns'
  | 'settleOpen'
  | 'queryRunSteps'
  | 'sendRunSignal'
  | 'queryRuns'
  | 'queryAttempts'
  | 'queryFailures'
  | 'queryGaps'
  | 'queryWorkers'
  | 'audited'
  | 'queryAudit'
  | 'now'
  | 'definitions'
> & {
  /** Absent: the storage has no workflows. */
  readonly flows?: FlowStore;
};

/** What puts on record who has asked, see `StorageAdapter.audited`. */
export type AuditedStore = Omit<JobStore, 'flows'> & {
  readonly flows?: AuditedFlowStore;
};

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
  /** Workflows; absent: it has none, and what begins one is refused. */
  readonly flows?: FlowStorage;
  /**
   * Tells of each workflow that is over by a call of this adapter, and is not tried again, and of each run that such a call has ended as `cancelled` while nobody executed it: once, when that is committed. Of what the worker of the run has settled
   * itself, and of what is part of a transaction of a caller, it tells nothing. Absent: nobody is told.
   */
  readonly runEnds?: RunEnds;
  /** Versions of what jobs are started from; absent: it keeps none, and what needs them is refused. */
  readonly definitions?: DefinitionStorage;
  /** Programs that jobs bring along; absent: it keeps none, and tasks of the type `binary` are refused. */
  readonly binaries?: BinaryStorage;
  /** Statistics by minute, hour and day; absent: it keeps none. */
  readonly rollups?: RollupStorage;
  /** Jobs that are late by their `lateAfter`; absent: it cannot be told. */
  readonly overdue?: OverdueStore;
  /** What runs have logged; absent: it keeps none, and the process alone is told. */
  readonly runLogs?: RunLogStorage;
  /** Changes of many that the REST API does; absent: the process that does one alone tells of it. */
  readonly bulkActions?: BulkActionStorage;
  /** How far runs are; absent: it keeps nothing of that, and listeners alone are told. */
  readonly runProgress?: RunProgressStorage;
  /** JSON as it is stored; absent: what was read is written anew. */
  readonly storedText?: StoredText;
  /** Why some of what was acknowledged may be missing, known after `init`; null or absent: nothing says so. A start tells it. */
  readonly doubt?: string | null;

  /**
   * Connects and brings the schema up to date. Safe when several processes do it at once. Rejects with StorageError. An adapter that tries
   * again when it cannot connect calls `failing` before each further try, so that nobody waits without knowing for what.
   */
  abstract init(failing?: (error: unknown, retryInMs: number) => void): Promise<void>;
  /**
   * Forgets everything that an earlier test left, ids included; called between `init` and anything else. Only what was made for tests: rejects with TestTablesError, and
   * changes nothing, when it may be an application's. Absent: what it stores ends with the process, or is for the test to empty.
   */
  beginTest?(): Promise<void>;
  /**
   * To be called before `init`, which then changes nothing: it rejects where the tables are missing or too old, and makes none. For tools that only look. Absent: it changes nothing that matters anyway.
   */
  onlyLook?(): void;
  /** Gives everything back. Later calls reject. */
  abstract close(): Promise<void>;
  /** The storage's clock. */
  abstract now(): Promise<EpochMs>;
  /** The same as closely as the storage knows it, with fractions of a millisecond: what is begun at an instant goes by it. @default what `now()` gives */
  exactNow(): Promise<EpochMs> {
    return this.now();
  }

  /**
   * Does the work, of which each statement by itself, as reads are, may take so long: then the storage ends it, and it rejects with StorageError. Of transactions it changes nothing. Absent: reads may take as long as all else.
   */
  reading?<T>(limitMs: number, work: () => Promise<T>): Promise<T>;

  // ── Definitions

  /**
   * Makes the stored jobs of one app agree with what its live workers declare, in one step: notes that the worker carries the set, asks the plan, and does what it says. Touches only
   * jobs with `source: 'code'`, of this app or free to be taken over. One at a time for an app. What it had to postpone it may try again in a further step, which asks the plan anew; the first one stands, whatever
   * comes of that.
   *
   * Of an app the sets that workers on record carry are kept, and the `releasesKept` that appeared last: an older one that is back has another number.
   *
   * A set appears, with the highest place, when a worker brings it that none has carried for `graceMs`, and so does each of its declarations. Remembers, unless something was
   * postponed or taken, that this set is synced beside those that live workers carry now: see `syncedSet` and `Renewal.outOfSync`.
   */
  abstract syncDefinitions(request: SyncRequest): Promise<SyncResult>;
  /**
   * A set that a worker may carry without a sync; null: one is needed. It may if the set was carried within `graceMs`, and last synced beside the sets that live workers
   * carry now, its own included, and no job of it was
   * deleted since. One cheap read, without any lock.
   */
  abstract syncedSet(set: Pick<SyncRequest, 'app' | 'setHash' | 'graceMs'>): Promise<SyncedSet | null>;
  /**
   * Orphans declared jobs of the app that no worker has carried for `graceMs`, and a live one has seen so: the cursor's place is kept as an open gap. Returns what was orphaned by
   * this call.
   */
  abstract orphanUndeclared(app: string, graceMs: number): Promise<JobRef[]>;
  /**
   * Gives the app those jobs of apps `from` that were made at run time, with all that waits for them, of the apps that have no live worker. What was put off, as nobody could execute it, is due where a
   * live worker now can. Declared jobs are left alone: a sync takes those over.
   */
  abstract inherit(app: string, from: readonly string[]): Promise<Inheritance>;

  // ── Jobs

  /**
   * Stores many jobs at once; one result per item, in order. Ids are unique in their namespace, across recurring jobs and one-offs. Wakes others if due soon. The objects given may become part of the results.
   *
   * Where one of them waits for others (a trigger of the type `after`), they are stored all together or not at all: see `waits.ts` for when it is due. It waits for the runs of one-offs that are among them, or are there and have not ended; throws InvalidOptionError for any other, and JobAlreadyExistsError where an id is taken and the policy is not `ignore`. There is no cycle among them.
   * What ends a run tells what waits for it in the same transaction, whatever ends it; a retry by hand, or what replaces one that is over, takes its place. A job that waits and gets a time, or is run by hand, waits no more.
   */
  abstract insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]>;
  abstract getJob(ref: JobRef): Promise<Job | null>;
  /** Ordered by namespace and id, or by the next time, those that have none left out, and then by namespace and id; a page's cursor stays valid while jobs come and go. `state` is meant to the letter. */
  abstract queryJobs(filter: JobFilter, page: JobPageRequest): Promise<Page<Job>>;
  /** Which jobs `queryJobs` would give, by namespace and id, and nothing of what is in them: payloads may be large. The cursors are the same. */
  abstract queryRefs(filter: JobFilter, page: PageRequest): Promise<Page<JobRef>>;
  abstract countJobs(filter: JobFilter): Promise<number>;
  /**
   * Changes a definition. A run that goes on is not touched, its retries use the new definition; a one-off that runs while its
   * time is changed goes on detached and the job is due anew. What the schedule of until then owed, up to now or to where the new one begins, becomes a gap
   * `missed`, or the end of the one that was open. A cursor never stands at what has fired: the first instant after that takes its place, here and with every
   * other call that sets one. With `expectedRevision`, 'stale' when the job has changed.
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
   * a lost worker) is held. Pausing a paused job keeps the first pause, but with the end of this one, or without any; a job with a verdict stays as it is. Null: not found.
   */
  abstract pauseJob(ref: JobRef, pause: PauseOrder): Promise<Job | null>;
  /**
   * Sets the cursor to `nextAt` of the plan, replaces the open gap by its `gap` (null: nothing was missed); held runs are due again at their
   * old times. With `restarts` the job may fire again what it has fired, from `nextAt` on: it fired by a clock that was ahead. What its schedule has brought for instants after `now`, and has never begun nor is in the hands of a worker, ends as cancelled. With a `trigger` the job has that schedule from then on. `pausedFrom`: the first instant that did not run, where the cursor stood; null: it had none, or waited for the end of a run. One-offs need no plan. A job that is not paused stays as it is. Null: not found.
   */
  abstract resumeJob(
    ref: JobRef,
    plan: (
      job: {
        trigger: Trigger;
        timeZone: string;
        id: string;
        pausedFrom: EpochMs | null;
        createdAt: EpochMs;
      },
      now: EpochMs,
    ) => { nextAt: EpochMs | null; gap: NewGap | null; restarts?: boolean; trigger?: Trigger },
  ): Promise<Job | null>;
  /** `cancelJob` for one run. `cancelled`: it waited and has ended · `requested`: its worker is asked · null: no run without verdict has this id. */
  abstract cancelRun(runId: string): Promise<'cancelled' | 'requested' | null>;
  /** Ends waiting runs as `cancelled`, asks the workers of running ones to abort them. Recurring jobs go on with their next instant. Returns how many runs were concerned, null: not found. */
  abstract cancelJob(ref: JobRef): Promise<number | null>;
  /**
   * `pauseJob`, `resumeJob`, `cancelJob` or `deleteJob` for many jobs (up to 100, each named once) in one step: one outcome for each, in order. If it rejects, nothing
   * has happened to any of them.
   */
  abstract changeJobs(refs: readonly JobRef[], change: BulkChange): Promise<BulkOutcome[]>;
  /**
   * A run due now, beside whatever goes on; also while the job is paused. A one-off that waits becomes due now, which ends its pause; one that
   * runs is returned as it is; one with a verdict gets a new run (`origin: 'retry'`). Throws WorkflowRunStateError (see `stillRuns`) where that is a workflow of which something still runs (`FlowStorage.queryRunningSteps`, with these `givenUp`). `trace`: what the run carries. Null: not found.
   */
  abstract runNow(ref: JobRef, givenUp?: readonly string[], trace?: string): Promise<Run | null>;
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
   * them. When it has resolved, no claim and no firing that was under way hands out a run of the scope any more. What is running goes on, and comes to its end. Pausing a paused scope keeps the first pause, but with the end of this one, or without any.
   */
  abstract pauseScope(scope: ScopeRef, pause: PauseOrder): Promise<StoredPause>;
  /**
   * Ends the pause of a scope. Of its cursors those that fell due, and that no other pause of a scope stops, are moved as the plan says, and its gap goes on
   * record. Runs are due at their old times. False: the scope is not paused.
   */
  abstract resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean>;
  /** The oldest first. */
  abstract queryPauses(): Promise<StoredPause[]>;
  /**
   * Ends the pauses that have come to their end, the earliest first, up to `limit`: as `resumeJob` and `resumeScope` do, each once, however many ask. Of those of jobs only what this app has, or no app: nobody else need know its calendars. An end holds for the pause that
   * it was given with alone. One that cannot be ended keeps no other from it. Absent: pauses have no ends here, and one with `until` is refused before it comes to the storage.
   */
  endPauses?(app: string, plans: PauseEndPlans, limit: number): Promise<EndedPauses>;
  /** The pauses of recurring jobs and of scopes that have no end, and have stood for so long or longer, the oldest first, up to `limit`. `untold`: only those that `notePauses` has not noted. Absent: they are not known. */
  stalePauses?(standingMs: number, limit: number, untold: boolean): Promise<StandingPause[]>;
  /** Notes that somebody has been told of these, as long as each stands. Returns those of which nobody was. Absent where `stalePauses` is. */
  notePauses?(pauses: readonly StandingPause[]): Promise<StandingPause[]>;

  // ── Dead letters: runs that failed, timed out or were lost. A recurring job's newest 1,000 are kept, for as long as the ledger.

  /**
   * Gives each of these dead letters a new run, due now, or as many milliseconds later as `delaysMs` says at the same place: with a higher id, `origin: 'retry'`, `retryOf` and the old nominal time, by the definition that the
   * job has now, also while the job is paused. The old row goes, its durable steps and signals are those of the new run. Returns the new runs; what is no dead letter (any more), and what is a workflow of which something still runs (`FlowStorage.queryRunningSteps`, with these `givenUp`), which would begin anew beside that, is passed over.
   * The new runs carry `trace`, where it is given, in place of what the old ones were asked for in; the last attempt of the old run is theirs.
   */
  abstract retryRuns(
    runIds: readonly string[],
    delaysMs?: readonly number[],
    givenUp?: readonly string[],
    trace?: string,
  ): Promise<Run[]>;
  /** Removes these dead letters, and with them the one-offs that they are; the ledger keeps its rows. Returns which; what is no dead letter is passed over. */
  abstract discardRuns(runIds: readonly string[]): Promise<string[]>;

  // ── Open runs

  /**
   * Hands an open run to `judge` as one claimed (with `openedAt`, at this time of the storage, the fence raised and the worker `outside`), and writes the settlement that it returns like `settle`, all in one step. Also
   * one that a worker has been handed at the deadline, and has not settled yet: that worker loses it. `judge` may be called again when the step is repeated. False: there is no such open run.
   */
  abstract settleOpen(runId: string, judge: (run: ClaimedRun, now: EpochMs) => Settlement): Promise<boolean>;

  // ── Durable steps

  /** The steps of a run that have ended or wait, by name. */
  abstract queryRunSteps(runId: string): Promise<RunStep[]>;
  /**
   * Keeps the end of a step, at this time of the storage, as long as the run is in the hands of this attempt: false, and nothing is kept, where it is not. A step of that name that has
   * ended already stays as it is. Whoever takes the run from its worker at this very moment does so before or after it, so that the next attempt finds the step or nobody has it.
   */
  abstract recordRunStep(hold: Hold, step: NewRunStep): Promise<boolean>;
  /** Keeps that a step sleeps, or has failed, as `recordRunStep` keeps its end, in place of what was kept of it; one that has ended stays as it is. */
  abstract recordStepWait(hold: Hold, wait: RunStepWait): Promise<boolean>;
  /**
   * Gives the oldest signal of the name that was sent by the end of the wait to this step, which has ended with its payload, all in one: it is not there for another one. Before that
   * each of the waits that it comes `after`, and that has not ended, has the oldest one that was sent by its end put by: for itself, when it looks again. Where there is none the step waits, or, when the time is over, has
   * timed out. Returns the step as it is now; null, and nothing is changed, where the run is not in the hands of this attempt. A signal that is sent at this very moment is taken, or finds that it is waited for.
   */
  abstract takeRunSignal(hold: Hold, wait: SignalWait): Promise<RunStep | null>;
  /**
   * Keeps a signal for a run without verdict. Where a step waits for it and the run sleeps since (`snoozed`), the run is due now; where its attempt has not come to its end, it is so as soon as that is settled as `snoozed`. `full`: there are
   * `mostRunSignals` that nobody has taken · `unheard`: it is a flow that has begun, or a manual step of one, so that no handler would ever take it · null: there is no run without verdict. Nothing is kept of those.
   */
  abstract sendRunSignal(runId: string, signal: NewRunSignal): Promise<SignalAnswer>;

  // ── Workers and their leases

  /** Begins a lease. What was deferred and this worker can execute is due. */
  abstract register(
    worker: WorkerRegistration,
    leaseMs: number,
  ): Promise<{ now: EpochMs; leaseUntil: EpochMs }>;
  /**
   * Prolongs the lease of a worker, and so its hold on all its runs, in one step. Refused once the lease has ended. `longRunning`: runs
   * that it has had for a while, each told once, which a storage may put out of the way of claims. `reached`: what time it is by which the worker claims, where the storage's clock
   * has leapt back and is doubted; else null. `condition`: how it fares; null: it does not say, and what it has said holds. `givenUp`: the places (`ClaimedStep.place`) of all steps of workflows that it has given up and executes all the
   * same; null: as it has told last. For as long as its lease holds nobody retries what would run these again (`FlowStorage.queryRunningSteps`).
   */
  abstract renew(
    workerId: string,
    leaseMs: number,
    running: number,
    longRunning?: readonly string[],
    reached?: EpochMs | null,
    condition?: WorkerCondition | null,
    givenUp?: readonly string[] | null,
  ): Promise<Renewal>;
  /**
   * Begins to renew the lease from outside the event loop, when that has not done so for half of the lease although it ticked within
   * `maxBlockedMs`. Absent, or null: not possible here. Rejects when it should be, but is not.
   */
  startBeat?(order: BeatOrder): Promise<Beat | null>;
  /** Replaces what a live worker can execute; what was deferred of that is due. */
  abstract updateWorker(
    workerId: string,
    change: Pick<WorkerRegistration, 'handlers' | 'generation'>,
  ): Promise<void>;
  /** Ends the lease at once; runs it still holds are released by the next `releaseLost`. */
  abstract unregister(workerId: string): Promise<void>;
  abstract queryWorkers(): Promise<WorkerInfo[]>;
  /**
   * Takes back the runs of workers whose lease has ended: each becomes due again with a ledger row `lost`, or ends (`lost`
   * for `recovery: 'abandon'`, for a job deleted meanwhile, and when it was lost too often, see `Policies.maxLost`; `cancelled` where asked). Runs of live workers are never touched.
   * What ends as `lost` gives birth to the `onFailure` of its job as it is now, like `settle`; that of a deleted job to none.
   *
   * Does not wait for what somebody else has locked: such runs stay held by their dead worker, are taken back by a later call, of any worker, and are named as `left`. `runIds`: only these are
   * tried, which an earlier call has left, and one of them may be waited for, for a moment; no lease is looked at then that has ended since. A run that cannot be taken back keeps no other from coming back, see `ReleaseResult.refused`.
   */
  abstract releaseLost(runIds?: readonly string[] | null): Promise<ReleaseResult>;

  /**
   * Computes the next times anew when `zoneData` (such as `2026a`) is newer than the version noted with them, and notes it; one caller does it for all. The first
   * caller ever only notes its version. Nobody fires a cursor while it is moved. It waits for nobody: what somebody else has locked stays where it is, and then the version is not noted, so that
   * another call comes back to it.
   */
  abstract recomputeCursors(zoneData: string, plan: CursorPlan): Promise<Recomputation>;

  // ── The loop

  /**
   * Cursors that are due, or will be within `aheadMs` (default 0) from now, and whose app, handler and queue this worker has, earliest first. Reading takes
   * hold of nothing.
   */
  abstract dueCursors(
    capability: Capability,
    limit: number,
    aheadMs?: number,
  ): Promise<{ now: EpochMs; cursors: DueCursor[] }>;
  /**
   * Moves cursors and gives birth to their occurrences. Per job: only if cursor and revision are as read, so of any number of
   * concurrent firers exactly one creates an occurrence. Up to `room` runs that are due within `aheadMs` (default 0) from now are born claimed by this
   * worker, if its lease holds. A firing whose worker has no lease still fires; its runs are for anybody.
   *
   * What is claimed before it is due has that time as its start, and its worker waits for it; what must not run twice (`recovery: 'abandon'`) is claimed
   * at its time, not before: by the storage's clock, or where the caller knows that this is behind and has `reached` this time. Pausing or deleting the job, or changing its times, before then
   * wakes with `change`, so that the worker can give the run back.
   *
   * An instant that meets a run of its job without verdict, or an earlier birth of the same firing: overlap `skip` leaves it out; `queue` has it
   * born blocked, or leaves it out where one is blocked already; `cancel-running` ends what waits as `cancelled`, asks for the cancellation of what is
   * claimed, and has it born blocked by that (of several births only the last is born). What is left out is a gap `skipped`. A blocked run cannot be
   * claimed; it is due, by its own time, in the step that ends the last of the runs that were there when it was born.
   */
  abstract fire(
    capability: Capability,
    firings: readonly Firing[],
    room: number,
    aheadMs?: number,
    reached?: EpochMs | null,
  ): Promise<FireResult>;
  /**
   * Hands runs that are due within `aheadMs` (default 0) from now to a worker: by priority, then due time, never more than `limit`. No run is ever handed to two workers while
   * the lease of the first holds. Nothing for a worker without a lease; nothing before it is due with `recovery: 'abandon'`, by the storage's clock or by `reached`, see `fire`. Each claim raises fence and attempt by one.
   * A run that cannot be claimed keeps no other from being claimed, see `ClaimResult.refused`.
   */
  abstract claim(
    capability: Capability,
    limit: number,
    aheadMs?: number,
    reached?: EpochMs | null,
  ): Promise<ClaimResult>;
  /**
   * Records how attempts ended and what becomes of their runs, each addressed by run, fence and worker. What somebody else has locked for more
   * than a moment is passed over, so that it does not keep the others waiting.
   *
   * Rejects with InvalidPayloadError when a value of them cannot be stored at all, such as a result with characters that the database lacks, and with InvalidWorkflowError when what one of them adds to a flow does not fit: the caller tries
   * again with fewer, to find out which it is. After a rejection some of them may have been written, and are refused when they come again.
   *
   * The callback of a settlement that decides its run is born in the same step, with the origin `callback`, due now; where its id is taken by hand, it
   * is left out.
   *
   * Whatever ends a run of a recurring job (this, `releaseLost`, a cancel) moves a cursor that stands at Infinity to the end of the run + the
   * trigger's `every` (trigger mode `fixed-delay`). A one-off with `keepMs: 'none'` gets no rows in the ledger, by whatever end its attempts come to.
   *
   * `hands`: runs of steps that are born by this, and that this worker could claim at once, may be born in its hands, as many as it has room for: by priority, and only if its lease is valid. A storage may leave all of them to claims. They come out
   * only if the call is carried out; after a failure `heldBy` tells of them.
   */
  abstract settle(settlements: readonly Settlement[], hands?: Hands): Promise<SettleResult>;
  /**
   * Runs `work` in one transaction with what `conclude` makes of its value, the settlement of the run or the end of one of its durable steps: both are committed, or neither. That is
   * the last statement before the commit; refused like by `settle`, or where a step of that name is kept already, everything is rolled back with ClaimLostError. Rejects with
   * TransactionNotSupportedError, before `work` is called, if the connection is not proven to be on the storage's own database. Never
   * repeats `work`. With `begin` that function begins the transaction, and its executor sends the statements of the settlement. Absent: the storage has no transactions to share.
   */
  transaction?<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement | RunStepRecord,
    options: AnyTransactionOptions,
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
  joined?(manager: JoinableTransaction): Promise<JobStore | null>;
  /**
   * Gives back claimed runs that were never started: due again at once, or at their time if that is later, not before `delayMs` are over, fence + 1, attempt as before the claim; or ended like
   * `handed_back`: as `cancelled`, or, with `recovery: 'abandon'`, as `lost` with a ledger row that has no start, and with their `onFailure`. Stale ones are
   * passed over. Never waits for what somebody else has locked: such runs stay as they are, and the caller tries again.
   * A run that cannot be given back keeps no other from it, see `GiveBackResult.refused`.
   */
  abstract giveBack(runs: readonly Unstarted[]): Promise<GiveBackResult>;
  /** The ids of all runs that the storage believes this worker holds: for what was claimed by a call whose answer was lost. */
  abstract heldBy(workerId: string): Promise<Unstarted[]>;
  /** When to look again. */
  abstract nextWakeAt(capability: Capability): Promise<NextWake>;

  // ── What is there

  /** What waits, what nobody can execute, and who is there, at this time of the storage: bounded, so that it may be asked for every few seconds. Absent: it cannot be told. */
  takeStock?(): Promise<Stock>;

  // ── The record

  /** Newest first. Of storages that keep who has asked for what: with the last of `runRequests` that is on record of each run. Of those with `runProgress`: with what was reported. */
  abstract queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<Run & Partial<ListedRun>>>;
  /** The ledger, newest first. */
  abstract queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>>;
  /** The newest `mostFailures` of these failures, by fingerprint and handler; the groups that have failed last come first, `limit` of them. */
  abstract queryFailures(filter: FailureFilter, limit: number): Promise<FailureReport>;
  abstract queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>>;
  /**
   * The same methods, of which each of `auditedMethods`, `auditedFlowMethods` and `auditedDefinitionMethods` puts on record what `note` makes of its result, in the same step: both are done, or neither, and in the transaction where there is one. Entries with
   * the same `batch` are one, that of the first step, with the sum of their counts. Absent: who has asked for something is not put on record, and is refused.
   *
   * With `once` no method does anything where an entry is there whose `request` has this key, of this actor: it throws RequestRepeatedError with that entry, and leaves the transaction of a caller as it is. Of several at once, in whatever processes, one is done; the others wait
   * until that is committed, or rolled back. Such an entry is kept for `requestsKeptMs` at least.
   */
  audited?(note: AuditNote, once?: RequestMark): Promise<AuditedStore>;
  /** Who has asked for what, newest first. Entries stay when what they are about is gone. Absent where `audited` is. */
  queryAudit?(filter: AuditFilter, page: PageRequest): Promise<Page<StoredAudit>>;
  /**
   * Lifts runs that have been due for more than a minute by one level of priority for each minute, so that nothing starves; not those that a pause stops. The
   * level counts for claims only, and until the end of the attempt. Bounded work per call, the longest overdue first. Returns how many were lifted.
   */
  abstract liftOverdue(): Promise<number>;
  /**
   * Puts off due runs that no live worker of their app can execute, so that they are not in the way of others: by as long as it is since their nominal time, half a
   * minute at least and ten at most; not those that a pause stops. A worker that can execute them, by `register` or `updateWorker`, makes
   * them due at once; this call does so with what was missed then, and does not tell of it. Bounded work per call.
   */
  abstract deferStranded(): Promise<Deferral[]>;
  /**
   * Deletes ledger rows, closed gaps, dead letters of recurring jobs and kept one-offs older than their time; bounded work per call. Dead letters stay for as
   * long as the longest of `failed`, `timed_out` and `lost`. Whatever a live worker wants kept for longer stays; so does, for an app that has none, what its last
   * one wanted. The steps of a run go when the longest of these times is over and the run has its verdict; its signals when it has that, and is no dead letter. Workers that ended long ago go too, but for the last one of an app that had some handler: jobs may be created for it while it has no worker.
   * Flows that are over and definitions that are deleted go as well, when the longest of these times is over: into a history, where the storage has one, for `historyMs`.
   * What is on record of who has asked for something goes after the longest `auditMs`. Programs that nothing uses go as `BinaryStorage` says. A row that cannot be deleted keeps no other from going, see `Pruned.refused`.
   *
   * `agedMs`: by how much the record may have aged since anybody's last call; Infinity where it is not given. If the storage's clock is further ahead than that, by more than a minute,
   * nothing is deleted (`withheldMs`), as that clock may be wrong; each call adds its `agedMs`, until the clock is reached.
   */
  abstract prune(retention: Retention, agedMs?: number): Promise<Pruned>;
}
