import type { FailureReport } from '../model/failure.js';
import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { ScopeRef, StandingPause } from '../model/pause.js';
import type { Pruned, Retention } from '../model/retention.js';
import type { Attempt, ClaimedRun, Gap, ListedRun, Run as RunView } from '../model/run.js';
import type { BackfillOrder, BackfillReport } from '../ports/backfill.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type { Beat, BeatOrder } from '../ports/beat.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import {
  StorageAdapter,
  type AttemptFilter,
  type AuditedStore,
  type AuditFilter,
  type AuditNote,
  type RequestMark,
  type Capability,
  type ClaimResult,
  type ConflictPolicy,
  type CursorPlan,
  deferralMs,
  type BinaryStorage,
  type BulkActionStorage,
  type DefinitionStorage,
  type DueCursor,
  type Deferral,
  type EndedPauses,
  type EpochMs,
  type Firing,
  type FireResult,
  type FailureFilter,
  type GapFilter,
  type Inheritance,
  type InsertResult,
  type JobPatch,
  type JobStore,
  type NewJob,
  type NewRunSignal,
  type NewRunStep,
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
  type StoredText,
  type RunFilter,
  type Hold,
  type RunStep,
  type RunStepWait,
  type SignalAnswer,
  type SignalWait,
  type RunStepRecord,
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
  TransactionWork,
} from '../ports/run.transaction.js';
import { RunEnds } from '../ports/run.ends.js';
import type { EventChannel } from '../ports/event.channel.js';
import type { WakeSignal } from '../ports/wake.signal.js';
import type { DataSource } from 'typeorm';
import type { AdapterConnection } from './adapter.connection.js';
import { startBeat } from './beat.js';
import { clientSettings } from './connection.settings.js';
import { syncDefinitions } from './definition.sync.js';
import { TypeOrmBulkActions } from './bulk.actions.js';
import { TypeOrmBinaries } from './binaries.js';
import { Calls } from './calls.js';
import { CallerTransactions } from './caller.transactions.js';
import { FirePlans } from './fire.plans.js';
import { Installation } from './installation.js';
import type { ResumePlan } from './job.controls.js';
import { Leases } from './leases.js';
import { SettlementPatience } from './settlement.patience.js';
import type { NotifyConnection } from './notify.connection.js';
import { NotifyEvents } from './notify.events.js';
import { NotifySignal } from './notify.signal.js';
import { inherit } from './inheriting.js';
import { orphanUndeclared } from './orphans.js';
import { RecordPruning } from './record.pruning.js';
import { Claiming } from './claiming.js';
import { giveBack } from './run.endings.js';
import { endPauses, notePauses, stalePauses } from './pause.ending.js';
import { dueCursors, fire, heldBy, nextWakeAt } from './run.loop.js';
import { TypeOrmOverdue } from './overdue.js';
import { TypeOrmRollups } from './rollups.js';
import { TypeOrmRunLogs } from './run.logs.js';
import { TypeOrmRunProgress } from './run.progress.js';
import { releaseLost } from './run.releasing.js';
import { settle } from './run.settling.js';
import { recordRunStep, recordStepWait, takeRunSignal } from './run.steps.js';
import { RunTransactions } from './run.transactions.js';
import { renewSql } from './sql/renew.sql.js';
import { StatementRunner } from './statement.runner.js';
import { prepareStatements } from './statements.js';
import { emptyTestTables } from './test.tables.js';
import { untilClaimsEnd } from './scopes.js';
import { TypeOrmFlows } from './typeorm.flows.js';
import { TypeOrmJobs } from './typeorm.jobs.js';
import { TypeOrmLock } from './typeorm.lock.js';
import { Vacuuming } from './vacuuming.js';
import { takeStock } from './stock.js';
import { TypeOrmStoredText } from './stored.text.js';
import { queryWorkers, recalledPerStep, register, updateWorker } from './worker.registry.js';
import { recomputeCursors } from './zone.data.js';

/** Of each queue and rank. */
const runsPerStep = 1_000;

/**
 * Jobs in PostgreSQL: the statements of `sql/` decide, this only says which. The hot path is one statement each; what users do
 * to single jobs is a short transaction that locks job, cursor and runs in this order.
 */
export class TypeOrmStorage extends StorageAdapter {
  readonly kind = 'postgres';
  readonly shared = true;
  readonly lock: LockAdapter;
  override readonly flows: TypeOrmFlows;
  override readonly definitions: DefinitionStorage;
  override readonly binaries: BinaryStorage;
  override readonly overdue: OverdueStore;
  override readonly rollups: RollupStorage;
  override readonly runLogs: RunLogStorage;
  override readonly bulkActions: BulkActionStorage;
  override readonly runProgress: RunProgressStorage;
  override readonly storedText: StoredText;
  override readonly runEnds = new RunEnds();
  declare readonly wakeSignal?: WakeSignal;
  declare readonly eventChannel?: EventChannel;
  private readonly statements: StatementRunner;
  private readonly jobs: TypeOrmJobs;
  private readonly transactions: RunTransactions;
  private readonly callers: CallerTransactions;
  private readonly installation: Installation;
  private readonly pruning: RecordPruning;
  private readonly claiming = new Claiming();
  private readonly firePlans: FirePlans;
  private readonly vacuuming: Vacuuming;
  private readonly leases = new Leases();
  private readonly patience = new SettlementPatience();

  constructor(
    private readonly connection: AdapterConnection,
    private readonly notify: NotifyConnection | null,
    /** The application's, which its handlers write by; null: the storage was made without one. */
    application: DataSource | null = null,
  ) {
    super();
    const { tables, poolSize, statementTimeoutMs } = connection.settings;
    const statements = prepareStatements(tables);
    const { runEnds: ends } = this;
    this.statements = new StatementRunner(statements, connection.database, ends);
    this.pruning = new RecordPruning(tables);
    this.firePlans = new FirePlans(this.statements.run, connection.settings.clock);
    this.vacuuming = new Vacuuming(connection.database, tables, connection.settings.clock);
    const calls = new Calls(connection.database, poolSize, statementTimeoutMs);
    this.jobs = new TypeOrmJobs(new StatementRunner(statements, () => calls, ends), tables);
    this.definitions = this.jobs.definitions;
    this.binaries = new TypeOrmBinaries(new StatementRunner(statements, () => calls));
    this.overdue = new TypeOrmOverdue(this.statements);
    this.rollups = new TypeOrmRollups(this.statements, tables);
    this.runLogs = new TypeOrmRunLogs(this.statements);
    this.bulkActions = new TypeOrmBulkActions(this.statements);
    this.runProgress = new TypeOrmRunProgress(this.statements);
    this.storedText = new TypeOrmStoredText(this.statements, tables);
    this.flows = new TypeOrmFlows(this.statements, tables);
    this.installation = new Installation(connection);
    this.transactions = new RunTransactions(connection, statements, application, this.installation, ends);
    this.callers = new CallerTransactions(connection.settings, this.installation);
    // Its home is this storage, which opens and closes it.
    const home = { database: connection.database, init: async () => undefined, close: async () => undefined };
    this.lock = new TypeOrmLock(tables, home);
    const { channel } = tables;
    if (notify === null || channel === null) return;
    this.wakeSignal = new NotifySignal(notify, channel);
    this.eventChannel = new NotifyEvents(notify, `${channel}_events`, connection.database);
  }

  async init(failing?: (error: unknown, retryInMs: number) => void): Promise<void> {
    await this.connection.open(failing);
    try {
      await this.installation.readAhead();
    } catch (error) {
      await this.connection.close();
      throw error;
    }
  }

  override onlyLook(): void {
    this.connection.onlyLooks = true;
  }

  async close(): Promise<void> {
    this.installation.forget();
    await Promise.all([this.notify?.close(), this.transactions.close(), this.connection.close()]);
  }

  override beginTest(): Promise<void> {
    return emptyTestTables(this.database, this.tables);
  }

  async now(): Promise<EpochMs> {
    const [{ now }] = await this.run<{ now: EpochMs }>('readTime');
    return now;
  }

  override async exactNow(): Promise<EpochMs> {
    const [{ now }] = await this.run<{ now: EpochMs }>('readExactTime');
    return now;
  }

  reading<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    return this.database.reads.within(limitMs, work);
  }

  syncDefinitions(request: SyncRequest): Promise<SyncResult> {
    return syncDefinitions(this.statements, request);
  }

  async syncedSet(set: Pick<SyncRequest, 'app' | 'setHash' | 'graceMs'>): Promise<SyncedSet | null> {
    const [found] = await this.run<SyncedSet>('syncedSet', set.app, set.setHash, set.graceMs);
    if (!found) return null;
    const { generation, outranked, changed } = found;
    return { generation, outranked: outranked ?? [], changed };
  }

  recomputeCursors(zoneData: string, plan: CursorPlan): Promise<Recomputation> {
    return recomputeCursors(this.statements, zoneData, plan);
  }

  orphanUndeclared(app: string, graceMs: number): Promise<JobRef[]> {
    return this.statements.change((change) => orphanUndeclared(change, app, graceMs));
  }

  inherit(app: string, from: readonly string[]): Promise<Inheritance> {
    return inherit(this.statements, app, from);
  }

  insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]> {
    return this.jobs.insertJobs(jobs, onConflict);
  }

  getJob(ref: JobRef): Promise<Job | null> {
    return this.jobs.getJob(ref);
  }

  queryJobs(filter: JobFilter, page: JobPageRequest): Promise<Page<Job>> {
    return this.jobs.queryJobs(filter, page);
  }

  queryRefs(filter: JobFilter, page: PageRequest): Promise<Page<JobRef>> {
    return this.jobs.queryRefs(filter, page);
  }

  countJobs(filter: JobFilter): Promise<number> {
    return this.jobs.countJobs(filter);
  }

  updateJob(ref: JobRef, patch: JobPatch, expectedRevision?: number): Promise<Job | 'not-found' | 'stale'> {
    return this.jobs.updateJob(ref, patch, expectedRevision);
  }

  deleteJob(ref: JobRef): Promise<boolean> {
    return this.jobs.deleteJob(ref);
  }

  pauseJob(ref: JobRef, pause: PauseOrder): Promise<Job | null> {
    return this.jobs.pauseJob(ref, pause);
  }

  resumeJob(ref: JobRef, plan: ResumePlan): Promise<Job | null> {
    return this.jobs.resumeJob(ref, plan);
  }

  cancelJob(ref: JobRef): Promise<number | null> {
    return this.jobs.cancelJob(ref);
  }

  changeJobs(refs: readonly JobRef[], change: BulkChange): Promise<BulkOutcome[]> {
    return this.jobs.changeJobs(refs, change);
  }

  cancelRun(runId: string): Promise<'cancelled' | 'requested' | null> {
    return this.jobs.cancelRun(runId);
  }

  runNow(ref: JobRef, givenUp?: readonly string[], trace?: string): Promise<RunView | null> {
    return this.jobs.runNow(ref, givenUp, trace);
  }

  backfill(ref: JobRef, order: BackfillOrder): Promise<BackfillReport | null> {
    return this.jobs.backfill(ref, order);
  }

  async pauseScope(scope: ScopeRef, pause: PauseOrder): Promise<StoredPause> {
    const stored = await this.jobs.pauseScope(scope, pause);
    await untilClaimsEnd(this.run, this.connection.settings.statementTimeoutMs);
    return stored;
  }

  resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean> {
    return this.jobs.resumeScope(scope, plan);
  }

  queryPauses(): Promise<StoredPause[]> {
    return this.jobs.queryPauses();
  }

  retryRuns(
    runIds: readonly string[],
    delaysMs?: readonly number[],
    givenUp?: readonly string[],
    trace?: string,
  ): Promise<RunView[]> {
    return this.jobs.retryRuns(runIds, delaysMs, givenUp, trace);
  }

  discardRuns(runIds: readonly string[]): Promise<string[]> {
    return this.jobs.discardRuns(runIds);
  }

  settleOpen(runId: string, judge: (run: ClaimedRun, now: EpochMs) => Settlement): Promise<boolean> {
    return this.jobs.settleOpen(runId, judge);
  }

  queryRunSteps(runId: string): Promise<RunStep[]> {
    return this.jobs.queryRunSteps(runId);
  }

  async recordRunStep(hold: Hold, step: NewRunStep): Promise<boolean> {
    return (await recordRunStep(this.run, hold, step)).mine;
  }

  recordStepWait(hold: Hold, wait: RunStepWait): Promise<boolean> {
    return recordStepWait(this.run, hold, wait);
  }

  takeRunSignal(hold: Hold, wait: SignalWait): Promise<RunStep | null> {
    return takeRunSignal(this.statements, hold, wait);
  }

  sendRunSignal(runId: string, signal: NewRunSignal): Promise<SignalAnswer> {
    return this.jobs.sendRunSignal(runId, signal);
  }

  register(worker: WorkerRegistration, leaseMs: number): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
    return register(this.statements, worker, leaseMs);
  }

  renew(
    workerId: string,
    leaseMs: number,
    running: number,
    longRunning: readonly string[] = [],
    reached: EpochMs | null = null,
    condition: WorkerCondition | null = null,
    givenUp: readonly string[] | null = null,
  ): Promise<Renewal> {
    return this.leases.renew(this.run, workerId, leaseMs, running, longRunning, reached, condition, givenUp);
  }

  override async startBeat(order: BeatOrder): Promise<Beat | null> {
    const { server, settings } = this.connection;
    // The thread knows no other clock than the database's.
    if (settings.databaseClock !== null) return null;
    const client = clientSettings(server, settings.statementTimeoutMs, this.database.startup);
    return startBeat(order, client, renewSql(settings.tables));
  }

  updateWorker(workerId: string, change: Pick<WorkerRegistration, 'handlers' | 'generation'>): Promise<void> {
    return updateWorker(this.statements, workerId, change);
  }

  async unregister(workerId: string): Promise<void> {
    this.leases.forget(workerId);
    await this.run('unregister', workerId);
  }

  endPauses(app: string, plans: PauseEndPlans, limit: number): Promise<EndedPauses> {
    return endPauses(this.statements, app, plans, limit);
  }

  stalePauses(standingMs: number, limit: number, untold: boolean): Promise<StandingPause[]> {
    return stalePauses(this.run, standingMs, limit, untold);
  }

  notePauses(pauses: readonly StandingPause[]): Promise<StandingPause[]> {
    return notePauses(this.run, pauses);
  }

  takeStock(): Promise<Stock> {
    return takeStock(this.run);
  }

  queryWorkers(): Promise<WorkerInfo[]> {
    return queryWorkers(this.run);
  }

  releaseLost(runIds: readonly string[] | null = null): Promise<ReleaseResult> {
    return releaseLost(this.statements, runIds);
  }

  async dueCursors(
    capability: Capability,
    limit: number,
    aheadMs = 0,
  ): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
    const due = await dueCursors(this.run, capability, limit, aheadMs);
    const { now, cursors } = due;
    if (cursors.length > 0) void this.firePlans.prepare(cursors[0]!.nominalAt - now);
    return due;
  }

  fire(
    capability: Capability,
    firings: readonly Firing[],
    room: number,
    aheadMs = 0,
    reached: EpochMs | null = null,
  ): Promise<FireResult> {
    this.firePlans.used();
    return fire(this.statements, capability, firings, room, { aheadMs, reached });
  }

  claim(
    capability: Capability,
    limit: number,
    aheadMs = 0,
    reached: EpochMs | null = null,
  ): Promise<ClaimResult> {
    return this.claiming.claim(this.run, capability, limit, { aheadMs, reached });
  }

  async settle(settlements: readonly Settlement[], hands?: Hands): Promise<SettleResult> {
    const result = await settle(this.statements, this.patience, settlements, hands);
    this.vacuuming.note(result.accepted.length);
    return result;
  }

  override transaction<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement | RunStepRecord,
    options: AnyTransactionOptions,
  ): Promise<T> {
    return this.transactions.perform(work, conclude, options);
  }

  override async joined(manager: JoinableTransaction): Promise<JobStore | null> {
    const statements = await this.callers.find(manager);
    return statements && new TypeOrmJobs(statements, this.tables);
  }

  giveBack(runs: readonly Unstarted[]): Promise<GiveBackResult> {
    return giveBack(this.statements, runs);
  }

  heldBy(workerId: string): Promise<Unstarted[]> {
    return heldBy(this.run, workerId);
  }

  nextWakeAt(capability: Capability): Promise<NextWake> {
    return nextWakeAt(this.run, capability);
  }

  queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    return this.jobs.queryRuns(filter, page);
  }

  queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    return this.jobs.queryAttempts(filter, page);
  }

  queryFailures(filter: FailureFilter, limit: number): Promise<FailureReport> {
    return this.jobs.queryFailures(filter, limit);
  }

  queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>> {
    return this.jobs.queryGaps(filter, page);
  }

  override async audited(note: AuditNote, once?: RequestMark): Promise<AuditedStore> {
    const jobs = await this.jobs.audited(note, once);
    return Object.assign(Object.create(jobs) as AuditedStore, {
      pauseScope: async (...args: Parameters<JobStore['pauseScope']>) => {
        const stored = await jobs.pauseScope(...args);
        await untilClaimsEnd(this.run, this.connection.settings.statementTimeoutMs);
        return stored;
      },
    });
  }

  override queryAudit(filter: AuditFilter, page: PageRequest): Promise<Page<StoredAudit>> {
    return this.jobs.queryAudit(filter, page);
  }

  async liftOverdue(): Promise<number> {
    const [{ count }] = await this.run<{ count: number }>('liftOverdue', runsPerStep);
    return count;
  }

  async deferStranded(): Promise<Deferral[]> {
    const { least, most } = deferralMs;
    const rows = await this.statements.change(async ({ run }) => {
      await run('recallDeferred', recalledPerStep);
      return run<Deferral>('deferStranded', runsPerStep, least, most);
    });
    return rows.map(({ app, handler, queue, runs }) => ({ app, handler, queue, runs }));
  }

  async prune(retention: Retention, agedMs = Infinity): Promise<Pruned> {
    return this.pruning.prune(this.run, this.database, retention, agedMs);
  }

  private get run() {
    return this.statements.run;
  }

  private get database() {
    return this.connection.database();
  }

  private get tables() {
    return this.connection.settings.tables;
  }
}
