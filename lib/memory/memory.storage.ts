import { StorageError } from '../model/errors.js';
import type { FailureReport } from '../model/failure.js';
import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { ScopeRef, StandingPause } from '../model/pause.js';
import type { Pruned, Retention } from '../model/retention.js';
import type { Attempt, ClaimedRun, Gap, ListedRun, Run } from '../model/run.js';
import type { BackfillOrder, BackfillReport } from '../ports/backfill.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type { Clock } from '../ports/clock.js';
import {
  StorageAdapter,
  type AttemptFilter,
  type AuditFilter,
  type AuditNote,
  type RequestMark,
  type AuditedStore,
  type Capability,
  type ClaimResult,
  type ConflictPolicy,
  type CursorPlan,
  type DueCursor,
  type Deferral,
  type EndedPauses,
  type EpochMs,
  type FailureFilter,
  type FireResult,
  type Firing,
  type GapFilter,
  type Inheritance,
  type InsertResult,
  type JobStore,
  type JobPatch,
  type NewJob,
  type NewRunSignal,
  type NewRunStep,
  type RunStepRecord,
  type NextWake,
  type JobPageRequest,
  type PageRequest,
  type PauseEndPlans,
  type PauseOrder,
  type Recomputation,
  type GiveBackResult,
  type Hands,
  type ReleaseResult,
  type Renewal,
  type OverdueStore,
  type RollupStorage,
  type RunLogStorage,
  type RunProgressStorage,
  type RunFilter,
  type Hold,
  type RunStep,
  type RunStepWait,
  type SignalAnswer,
  type SignalWait,
  type ScopeResumption,
  type Settlement,
  type SettleResult,
  type Stock,
  type StoredAudit,
  type StoredPause,
  type SyncRequest,
  type SyncedSet,
  type SyncResult,
  type Unstarted,
  type WorkerInfo,
  type WorkerCondition,
  type WorkerRegistration,
} from '../ports/storage.adapter.js';
import type {
  AnyTransactionOptions,
  JoinableTransaction,
  SqlExecutor,
  TransactionWork,
} from '../ports/run.transaction.js';
import { SystemClock } from '../ports/system.clock.js';
import { RunEnds } from '../ports/run.ends.js';
import { queryAudit, recordAudit, refuseRepeated } from './auditing.js';
import { backfill } from './backfilling.js';
import { MemoryBinaries } from './binaries.js';
import { changeJobs } from './bulk.changes.js';
import { MemoryBulkActions } from './bulk.actions.js';
import { claim, giveBack, heldBy, nextWakeAt } from './claiming.js';
import { cancelJob, cancelRun, deleteJob, pauseJob, resumeJob, runNow, type ResumePlan } from './controls.js';
import { discardRuns, retryRuns } from './dead.letters.js';
import { insertJobs, updateJob } from './definitions.js';
import { queryFailures } from './failures.js';
import { dueCursors, fire } from './firing.js';
import { withFlows } from './flow.endings.js';
import { MemoryEventChannel } from './memory.event.channel.js';
import { MemoryFlows } from './memory.flows.js';
import { MemoryLock } from './memory.lock.js';
import { MemoryWakeSignal } from './memory.wake.signal.js';
import { inherit } from './inheriting.js';
import { orphanUndeclared } from './orphaning.js';
import { endPauses, notePauses, stalePauses } from './pause.ends.js';
import { prune } from './pruning.js';
import { MemoryOverdue } from './overdue.js';
import { MemoryRollups } from './rollups.js';
import { MemoryRunLogs } from './run.logs.js';
import { MemoryRunProgress } from './run.progress.js';
import { countJobs, queryAttempts, queryGaps, queryJobs, queryRefs, queryRuns } from './queries.js';
import { deferStranded, liftOverdue, recallDeferred } from './waiting.runs.js';
import { toJob, toRun } from './rows.to.views.js';
import { pauseScope, queryPauses, resumeScope } from './scopes.js';
import { takeStock } from './stock.js';
import { queryRunSteps, recordRunStep, recordStepWait, sendRunSignal, takeRunSignal } from './run.steps.js';
import { settleInto } from './flow.hands.js';
import { settle, settleOpen } from './settling.js';
import { MemoryTransaction } from './memory.transaction.js';
import { MemoryTransactions, type TransactionSource } from './memory.transactions.js';
import { restoreTables, takeSnapshot } from './snapshot.js';
import { syncedSet } from './releases.js';
import { syncDefinitions } from './syncing.js';
import { keyOf, MemoryTables, type JobRow, type Step, type StepTaker } from './tables.js';
import { MemoryDefinitions } from './versioned.definitions.js';
import { recomputeCursors } from './zone.data.js';
import { register, releaseLost, renew, unregister, updateWorker, workerInfos } from './workers.js';

export const defaultRecordLimit = 100_000;

export interface MemoryStorageOptions {
  /** The storage's clock. @default SystemClock */
  clock?: Clock;
  /** How many rows of the ledger, and how many gaps, are kept at most; the oldest go first. @default 100_000 */
  recordLimit?: number;
  /** Where `context.transaction()` begins: the application's DataSource, of whatever database, or what stands in for one. @default none: it is refused, unless the call names one */
  dataSource?: TransactionSource;
  /**
   * What becomes of a call whose `{ manager }` is neither in a transaction of TypeORM nor called within `inTransaction()`, so that nobody tells of its end, such as a double in a test: `refuse` it,
   * or make it `at-once`, as if its transaction committed then. @default 'refuse'
   */
  unknownManagers?: 'refuse' | 'at-once';
}

/**
 * Jobs in the memory of this process: nothing survives its end. For development and tests, and for jobs that need no persistence.
 *
 * The reference implementation of the port: with fences and leases, each method one atomic step between two turns of the event loop, so
 * that concurrent callers interleave as they do on a database. @publicApi
 */
export class MemoryStorage extends StorageAdapter {
  readonly kind: string = 'memory';
  readonly shared = false;
  readonly lock: MemoryLock;
  override readonly wakeSignal: MemoryWakeSignal;
  override readonly eventChannel: MemoryEventChannel;
  override readonly definitions = new MemoryDefinitions((step, kind) => this.atomically(step, kind));
  override readonly binaries = new MemoryBinaries((step) => this.atomically(step));
  override readonly overdue: OverdueStore = new MemoryOverdue((step, kind) => this.atomically(step, kind));
  override readonly rollups: RollupStorage = new MemoryRollups((step, kind) => this.atomically(step, kind));
  override readonly runLogs: RunLogStorage = new MemoryRunLogs((step, kind) => this.atomically(step, kind));
  override readonly bulkActions = new MemoryBulkActions((step, kind) => this.atomically(step, kind));
  override readonly runProgress: RunProgressStorage = new MemoryRunProgress((step, kind) =>
    this.atomically(step, kind),
  );
  override readonly flows = new MemoryFlows((step, kind) => this.atomically(step, kind));
  protected readonly clock: Clock;
  protected readonly tables: MemoryTables;
  override readonly runEnds = new RunEnds();
  private readonly transactions: MemoryTransactions;
  private readonly steps: StepTaker;
  /** Whether what is done is there at once, and not when a transaction is committed. */
  private readonly isCommitting: boolean;
  private closed = false;

  constructor(
    protected readonly options: MemoryStorageOptions = {},
    tables?: MemoryTables,
    steps?: StepTaker,
  ) {
    super();
    this.clock = options.clock ?? new SystemClock();
    this.tables = tables ?? new MemoryTables(options.recordLimit ?? defaultRecordLimit);
    this.lock = new MemoryLock({
      clock: this.clock,
      locks: this.tables.locks,
      lasting: () => this.lasting(),
    });
    this.wakeSignal = new MemoryWakeSignal(this.tables);
    this.eventChannel = new MemoryEventChannel(this.tables);
    this.steps = steps ?? this.tables;
    this.isCommitting = !(steps instanceof MemoryTransaction);
    this.transactions = new MemoryTransactions(this.tables, this.clock, options);
  }

  /** A storage that holds what another one held when the snapshot was taken. Throws InvalidOptionError for what is not a snapshot of this version's format. */
  static restore(snapshot: string, options: MemoryStorageOptions = {}): MemoryStorage {
    return new MemoryStorage(options, restoreTables(snapshot, options.recordLimit ?? defaultRecordLimit));
  }

  /**
   * Everything that is stored, as JSON text: jobs, runs, ledger, gaps, workers, pauses and locks, as they are between two steps. For storages
   * that keep it elsewhere, and to go on after a restart. Its layout may change with the version: only `restore` reads it.
   */
  snapshot(): string {
    return takeSnapshot(this.tables);
  }

  /** Another adapter on the same jobs, as another process would have it on a database. */
  open(): MemoryStorage {
    return new MemoryStorage(this.options, this.tables);
  }

  /**
   * Makes one transaction of all calls with a `{ manager }` that are made within `work`, however deep, with the one that it gets or any other: others see what they did when `work` has
   * resolved, and never if it rejects. For doubles: `{ $transaction: (work) => storage.inTransaction(() => work(tx)) }`. Throws StorageBusyError where others have done meanwhile what cannot be done twice.
   */
  inTransaction<T>(work: (manager: SqlExecutor) => T | Promise<T>): Promise<T> {
    return this.transactions.perform(work);
  }

  override async joined(manager: JoinableTransaction): Promise<JobStore | null> {
    const found = this.transactions.find(manager);
    if (found === null) return null;
    return found === 'at-once' ? this : new MemoryStorage(this.options, this.tables, found);
  }

  override transaction<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement | RunStepRecord,
    options: AnyTransactionOptions,
  ): Promise<T> {
    return this.transactions.concluding(work, conclude, options, () => this.done());
  }

  async init(): Promise<void> {}

  async close(): Promise<void> {
    this.closed = true;
    this.wakeSignal.close();
    this.eventChannel.close();
    await this.lock.close();
  }

  now(): Promise<EpochMs> {
    return this.atomically((_, now) => now);
  }

  syncDefinitions(request: SyncRequest): Promise<SyncResult> {
    return this.atomically((tables, now) => syncDefinitions(tables, now, request));
  }

  syncedSet(set: Pick<SyncRequest, 'app' | 'setHash' | 'graceMs'>): Promise<SyncedSet | null> {
    return this.atomically((tables, now) => syncedSet(tables, now, set));
  }

  orphanUndeclared(app: string, graceMs: number): Promise<JobRef[]> {
    return this.atomically((tables, now) => orphanUndeclared(tables, now, app, graceMs));
  }

  inherit(app: string, from: readonly string[]): Promise<Inheritance> {
    return this.atomically((tables, now) => inherit(tables, now, app, from));
  }

  insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]> {
    return this.atomically((tables, now) => insertJobs(tables, now, jobs, onConflict));
  }

  getJob(ref: JobRef): Promise<Job | null> {
    return this.withJob(ref, null, (job, tables) => toJob(tables, job), 'read');
  }

  queryJobs(filter: JobFilter, page: JobPageRequest): Promise<Page<Job>> {
    return this.atomically((tables) => queryJobs(tables, filter, page), 'read');
  }

  queryRefs(filter: JobFilter, page: PageRequest): Promise<Page<JobRef>> {
    return this.atomically((tables) => queryRefs(tables, filter, page), 'read');
  }

  countJobs(filter: JobFilter): Promise<number> {
    return this.atomically((tables) => countJobs(tables, filter), 'read');
  }

  updateJob(ref: JobRef, patch: JobPatch, expectedRevision?: number): Promise<Job | 'not-found' | 'stale'> {
    return this.withJob<Job | 'not-found' | 'stale'>(ref, 'not-found', (job, tables, now) => {
      if (expectedRevision !== undefined && expectedRevision !== job.revision) return 'stale';
      updateJob(tables, now, job, patch);
      return toJob(tables, job);
    });
  }

  deleteJob(ref: JobRef): Promise<boolean> {
    return this.withJob(ref, false, (job, tables, now) => {
      deleteJob(tables, now, job);
      return true;
    });
  }

  pauseJob(ref: JobRef, pause: PauseOrder): Promise<Job | null> {
    return this.withJob(ref, null, (job, tables, now) => pauseJob(tables, now, job, pause));
  }

  resumeJob(ref: JobRef, plan: ResumePlan): Promise<Job | null> {
    return this.withJob(ref, null, (job, tables, now) => resumeJob(tables, now, job, plan));
  }

  cancelJob(ref: JobRef): Promise<number | null> {
    return this.withJob(ref, null, (job, tables, now) => cancelJob(tables, now, job));
  }

  changeJobs(refs: readonly JobRef[], change: BulkChange): Promise<BulkOutcome[]> {
    return this.atomically((tables, now) => changeJobs(tables, now, refs, change));
  }

  cancelRun(runId: string): Promise<'cancelled' | 'requested' | null> {
    return this.atomically((tables, now) => cancelRun(tables, now, runId));
  }

  runNow(ref: JobRef, givenUp: readonly string[] = [], trace?: string): Promise<Run | null> {
    return this.withJob(ref, null, (job, tables, now) => toRun(runNow(tables, now, job, givenUp, trace)));
  }

  backfill(ref: JobRef, order: BackfillOrder): Promise<BackfillReport | null> {
    return this.withJob(ref, null, (job, tables, now) =>
      job.kind === 'recurring' ? backfill(tables, now, job, order) : null,
    );
  }

  pauseScope(scope: ScopeRef, pause: PauseOrder): Promise<StoredPause> {
    return this.atomically((tables, now) => pauseScope(tables, now, scope, pause));
  }

  resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean> {
    return this.atomically((tables, now) => resumeScope(tables, now, scope, plan));
  }

  queryPauses(): Promise<StoredPause[]> {
    return this.atomically(queryPauses, 'read');
  }

  endPauses(app: string, plans: PauseEndPlans, limit: number): Promise<EndedPauses> {
    return this.atomically((tables, now) => endPauses(tables, now, app, plans, limit));
  }

  stalePauses(standingMs: number, limit: number, untold: boolean): Promise<StandingPause[]> {
    return this.atomically((tables, now) => stalePauses(tables, now, standingMs, limit, untold), 'read');
  }

  notePauses(pauses: readonly StandingPause[]): Promise<StandingPause[]> {
    return this.atomically((tables) => notePauses(tables, pauses));
  }

  takeStock(): Promise<Stock> {
    return this.atomically(takeStock, 'read');
  }

  recomputeCursors(zoneData: string, plan: CursorPlan): Promise<Recomputation> {
    return this.atomically((tables) => recomputeCursors(tables, zoneData, plan));
  }

  retryRuns(
    runIds: readonly string[],
    delaysMs: readonly number[] = [],
    givenUp: readonly string[] = [],
    trace?: string,
  ): Promise<Run[]> {
    return this.atomically((tables, now) =>
      retryRuns(tables, now, runIds, delaysMs, givenUp, trace).map(toRun),
    );
  }

  discardRuns(runIds: readonly string[]): Promise<string[]> {
    return this.atomically((tables) => discardRuns(tables, runIds));
  }

  register(worker: WorkerRegistration, leaseMs: number): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
    return this.atomically((tables, now) => {
      const lease = register(tables, now, worker, leaseMs);
      recallDeferred(tables, now);
      return lease;
    });
  }

  renew(
    workerId: string,
    leaseMs: number,
    running: number,
    _longRunning?: readonly string[],
    _reached?: EpochMs | null,
    condition: WorkerCondition | null = null,
    givenUp: readonly string[] | null = null,
  ): Promise<Renewal> {
    return this.atomically((tables, now) =>
      renew(tables, now, workerId, leaseMs, running, condition, givenUp),
    );
  }

  updateWorker(workerId: string, change: Pick<WorkerRegistration, 'handlers' | 'generation'>): Promise<void> {
    return this.atomically((tables, now) => {
      updateWorker(tables, workerId, change);
      recallDeferred(tables, now);
    });
  }

  unregister(workerId: string): Promise<void> {
    return this.atomically((tables, now) => unregister(tables, now, workerId));
  }

  queryWorkers(): Promise<WorkerInfo[]> {
    return this.atomically((tables) => workerInfos(tables));
  }

  releaseLost(runIds: readonly string[] | null = null): Promise<ReleaseResult> {
    return this.atomically((tables, now) => releaseLost(tables, now, runIds));
  }

  dueCursors(
    capability: Capability,
    limit: number,
    aheadMs = 0,
  ): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
    return this.atomically((tables, now) => dueCursors(tables, now, capability, limit, aheadMs));
  }

  fire(
    capability: Capability,
    firings: readonly Firing[],
    room: number,
    aheadMs = 0,
    reached: EpochMs | null = null,
  ): Promise<FireResult> {
    return this.atomically((tables, now) => {
      const onceBy = Math.max(now, reached ?? now);
      return fire(tables, now, capability, firings, room, { by: now + aheadMs, onceBy });
    });
  }

  claim(
    capability: Capability,
    limit: number,
    aheadMs = 0,
    reached: EpochMs | null = null,
  ): Promise<ClaimResult> {
    return this.atomically((tables, now) => {
      const onceBy = Math.max(now, reached ?? now);
      return claim(tables, now, capability, limit, { by: now + aheadMs, onceBy });
    });
  }

  queryRunSteps(runId: string): Promise<RunStep[]> {
    return this.atomically((tables) => queryRunSteps(tables, runId), 'read');
  }

  recordRunStep(hold: Hold, step: NewRunStep): Promise<boolean> {
    return this.atomically((tables, now) => recordRunStep(tables, now, hold, step));
  }

  recordStepWait(hold: Hold, wait: RunStepWait): Promise<boolean> {
    return this.atomically((tables, now) => recordStepWait(tables, now, hold, wait));
  }

  takeRunSignal(hold: Hold, wait: SignalWait): Promise<RunStep | null> {
    return this.atomically((tables, now) => takeRunSignal(tables, now, hold, wait));
  }

  sendRunSignal(runId: string, signal: NewRunSignal): Promise<SignalAnswer> {
    return this.atomically((tables, now) => sendRunSignal(tables, now, runId, signal));
  }

  settle(settlements: readonly Settlement[], hands?: Hands): Promise<SettleResult> {
    return this.atomically((tables, now) =>
      hands === undefined ? settle(tables, now, settlements) : settleInto(tables, now, settlements, hands),
    );
  }

  settleOpen(runId: string, judge: (run: ClaimedRun, now: EpochMs) => Settlement): Promise<boolean> {
    return this.atomically((tables, now) => settleOpen(tables, now, runId, judge));
  }

  giveBack(runs: readonly Unstarted[]): Promise<GiveBackResult> {
    return this.atomically((tables, now) => giveBack(tables, now, runs));
  }

  heldBy(workerId: string): Promise<Unstarted[]> {
    return this.atomically((tables) => heldBy(tables, workerId));
  }

  nextWakeAt(capability: Capability): Promise<NextWake> {
    return this.atomically((tables, now) => nextWakeAt(tables, now, capability));
  }

  queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    return this.atomically((tables) => queryRuns(tables, filter, page), 'read');
  }

  queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    return this.atomically((tables) => queryAttempts(tables, filter, page), 'read');
  }

  queryFailures(filter: FailureFilter, limit: number): Promise<FailureReport> {
    return this.atomically((tables) => queryFailures(tables, filter, limit), 'read');
  }

  queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>> {
    return this.atomically((tables) => queryGaps(tables, filter, page), 'read');
  }

  override async audited(note: AuditNote, once?: RequestMark): Promise<AuditedStore> {
    const { steps } = this;
    const noting: StepTaker = {
      take: (step, at, kind) => {
        if (kind === 'read') return steps.take(step, at, kind);
        return steps.take((tables, now) => {
          if (once) refuseRepeated(tables, once);
          const result = step(tables, now);
          recordAudit(tables, now, note(result));
          return result;
        }, at);
      },
    };
    // The same adapter in all else: closed with it, and with the same file.
    const audited = Object.create(this, { steps: { value: noting } }) as this;
    const take: typeof this.atomically = (step, kind) => audited.atomically(step, kind);
    return Object.defineProperties(audited, {
      flows: { value: new MemoryFlows(take) },
      definitions: { value: new MemoryDefinitions(take) },
    });
  }

  override queryAudit(filter: AuditFilter, page: PageRequest): Promise<Page<StoredAudit>> {
    return this.atomically((tables) => queryAudit(tables, filter, page), 'read');
  }

  liftOverdue(): Promise<number> {
    return this.atomically(liftOverdue);
  }

  deferStranded(): Promise<Deferral[]> {
    return this.atomically(deferStranded);
  }

  prune(retention: Retention, agedMs = Infinity): Promise<Pruned> {
    return this.atomically((tables, now) => prune(tables, now, retention, agedMs));
  }

  private withJob<T>(
    ref: JobRef,
    absent: T,
    work: (job: JobRow, tables: MemoryTables, now: EpochMs) => T,
    kind?: 'read',
  ): Promise<T> {
    return this.atomically((tables, now) => {
      const job = tables.jobs.get(keyOf(ref));
      return job ? work(job, tables, now) : absent;
    }, kind);
  }

  /** One step that nobody else sees half done. What leaves is a copy: callers may change what they got. */
  protected async atomically<T>(work: Step<T>, kind?: 'read'): Promise<T> {
    await Promise.resolve();
    if (this.closed) {
      throw new StorageError(
        `This ${this.kind} storage was closed. Make another one, or open() one on the same jobs before.`,
      );
    }
    const step = kind === 'read' ? work : withFlows(work);
    this.tables.ends.length = 0;
    const answer = structuredClone(this.steps.take(step, this.clock.now(), kind));
    await this.done();
    return answer;
  }

  /** Resolves when the last step is kept as safely as it is kept here, and what has ended by it is told. */
  private async done(): Promise<void> {
    // What is done in a transaction is not committed yet.
    const ends = this.isCommitting ? structuredClone(this.tables.ends.splice(0)) : [];
    await this.lasting();
    if (ends.length > 0) await this.runEnds.tell(ends);
  }

  /** Resolves when what was done, and what was seen, is kept as safely as it is kept here. */
  protected lasting(): Promise<void> {
    return Promise.resolve();
  }
}
