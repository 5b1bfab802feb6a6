import type { Job, JobFilter, JobRef, Page, Pause } from '../model/job.js';
import type { ScopeRef } from '../model/pause.js';
import type { Attempt, Gap, Run as RunView } from '../model/run.js';
import type { Beat, BeatOrder } from '../ports/beat.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import {
  StorageAdapter,
  type AttemptFilter,
  type Capability,
  type ClaimResult,
  type ConflictPolicy,
  type CursorPlan,
  deferralMs,
  type DueCursor,
  type Deferral,
  type EpochMs,
  type Firing,
  type FireResult,
  type GapFilter,
  type InsertResult,
  type JobPatch,
  type NewJob,
  type NextWake,
  type PageRequest,
  type Recomputation,
  type ReleaseResult,
  type Renewal,
  type RunFilter,
  type ScopeResumption,
  type Settlement,
  type StoredPause,
  type SyncRequest,
  type SyncResult,
  type Unstarted,
  type WorkerInfo,
  type WorkerRegistration,
} from '../ports/storage.adapter.js';
import type { TransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { WakeSignal } from '../ports/wake.signal.js';
import type { DataSource } from 'typeorm';
import type { AdapterConnection } from './adapter.connection.js';
import { startBeat } from './beat.js';
import { clientSettings } from './connection.settings.js';
import { discardRuns, isId, retryRuns } from './dead.letters.js';
import { syncDefinitions } from './definition.sync.js';
import {
  cancelJob,
  cancelRun,
  deleteJob,
  pauseJob,
  resumeJob,
  runOneOffNow,
  type ResumePlan,
} from './job.controls.js';
import { existingJobs, insertJobs } from './job.insertion.js';
import { countJobs, getJob, queryJobs } from './job.queries.js';
import { changeJob, replaceJobs } from './job.updates.js';
import type { NotifySignal } from './notify.signal.js';
import { orphanUndeclared } from './orphans.js';
import { queryAttempts, queryGaps, queryRuns } from './record.queries.js';
import { prune } from './record.pruning.js';
import { claim, dueCursors, fire, giveBack, heldBy, nextWakeAt, releaseLost, settle } from './run.loop.js';
import { toRun, type RunRow } from './run.rows.js';
import { RunTransactions } from './run.transactions.js';
import { pauseScope, queryPauses, resumeScope } from './scopes.js';
import { renewSql } from './sql/renew.sql.js';
import { StatementRunner } from './statement.runner.js';
import { prepareStatements } from './statements.js';
import { TypeOrmLock } from './typeorm.lock.js';
import { queryWorkers, register, renew } from './worker.registry.js';
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
  declare readonly wakeSignal?: WakeSignal;
  private readonly statements: StatementRunner;
  private readonly transactions: RunTransactions;

  constructor(
    private readonly connection: AdapterConnection,
    private readonly signal: NotifySignal | null,
    /** The application's, which its handlers write by; null: the storage was made without one. */
    application: DataSource | null = null,
  ) {
    super();
    const { tables } = connection.settings;
    const statements = prepareStatements(tables);
    this.statements = new StatementRunner(statements, connection.database);
    this.transactions = new RunTransactions(connection, statements, application);
    // Its home is this storage, which opens and closes it.
    const home = { database: connection.database, init: async () => undefined, close: async () => undefined };
    this.lock = new TypeOrmLock(tables, home);
    if (signal !== null) this.wakeSignal = signal;
  }

  init(): Promise<void> {
    return this.connection.open();
  }

  async close(): Promise<void> {
    await this.signal?.close();
    await this.transactions.close();
    await this.connection.close();
  }

  async now(): Promise<EpochMs> {
    const [{ now }] = await this.run<{ now: EpochMs }>('readTime');
    return now;
  }

  syncDefinitions(request: SyncRequest): Promise<SyncResult> {
    return this.statements.change((change) => syncDefinitions(change, request));
  }

  recomputeCursors(zoneData: string, plan: CursorPlan): Promise<Recomputation> {
    return this.statements.change((change) => recomputeCursors(change, zoneData, plan));
  }

  orphanUndeclared(app: string, graceMs: number): Promise<JobRef[]> {
    return this.statements.change((change) => orphanUndeclared(change, app, graceMs));
  }

  async insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]> {
    return insertJobs(this.run, jobs, onConflict, (taken) =>
      onConflict === 'replace' ? replaceJobs(this.statements, taken) : existingJobs(this.run, taken),
    );
  }

  getJob(ref: JobRef): Promise<Job | null> {
    return getJob(this.run, ref);
  }

  async queryJobs(filter: JobFilter, page: PageRequest): Promise<Page<Job>> {
    return queryJobs(this.database, this.tables, filter, page);
  }

  async countJobs(filter: JobFilter): Promise<number> {
    return countJobs(this.database, this.tables, filter);
  }

  updateJob(ref: JobRef, patch: JobPatch, expectedRevision?: number): Promise<Job | 'not-found' | 'stale'> {
    return this.statements.change((change) => changeJob(change, ref, patch, expectedRevision));
  }

  deleteJob(ref: JobRef): Promise<boolean> {
    return this.statements.change((change) => deleteJob(change, ref));
  }

  pauseJob(ref: JobRef, pause: Pick<Pause, 'reason' | 'by'>): Promise<Job | null> {
    return this.statements.change(async (change) => {
      return (await pauseJob(change, ref, pause)) ? getJob(change.run, ref) : null;
    });
  }

  resumeJob(ref: JobRef, plan: ResumePlan): Promise<Job | null> {
    return this.statements.change(async (change) => {
      return (await resumeJob(change, ref, plan)) ? getJob(change.run, ref) : null;
    });
  }

  cancelJob(ref: JobRef): Promise<number | null> {
    return this.statements.change((change) => cancelJob(change, ref));
  }

  async cancelRun(runId: string): Promise<'cancelled' | 'requested' | null> {
    return isId(runId) ? this.statements.change((change) => cancelRun(change, runId)) : null;
  }

  async runNow(ref: JobRef): Promise<RunView | null> {
    const [born] = await this.run<RunRow>('runManually', ref.namespace, ref.id);
    const row = born ?? (await this.statements.change((change) => runOneOffNow(change, ref)));
    return row && toRun(row);
  }

  pauseScope(scope: ScopeRef, pause: Pick<Pause, 'reason' | 'by'>): Promise<StoredPause> {
    return pauseScope(this.run, scope, pause);
  }

  resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean> {
    return this.statements.change((change) => resumeScope(change, scope, plan));
  }

  queryPauses(): Promise<StoredPause[]> {
    return queryPauses(this.run);
  }

  retryRuns(runIds: readonly string[]): Promise<RunView[]> {
    return retryRuns(this.run, runIds);
  }

  discardRuns(runIds: readonly string[]): Promise<string[]> {
    return discardRuns(this.run, runIds);
  }

  register(worker: WorkerRegistration, leaseMs: number): Promise<{ now: EpochMs; leaseUntil: EpochMs }> {
    return register(this.run, worker, leaseMs);
  }

  renew(workerId: string, leaseMs: number, running: number): Promise<Renewal> {
    return renew(this.run, workerId, leaseMs, running);
  }

  override async startBeat(order: BeatOrder): Promise<Beat | null> {
    const { server, settings } = this.connection;
    // The thread knows no other clock than the database's.
    if (settings.databaseClock !== null) return null;
    return startBeat(order, clientSettings(server, settings.statementTimeoutMs), renewSql(settings.tables));
  }

  async updateWorker(
    workerId: string,
    { handlers, generation }: Pick<WorkerRegistration, 'handlers' | 'generation'>,
  ): Promise<void> {
    await this.run('updateWorker', workerId, handlers, generation);
  }

  async unregister(workerId: string): Promise<void> {
    await this.run('unregister', workerId);
  }

  queryWorkers(): Promise<WorkerInfo[]> {
    return queryWorkers(this.run);
  }

  releaseLost(): Promise<ReleaseResult> {
    return releaseLost(this.statements);
  }

  dueCursors(capability: Capability, limit: number): Promise<{ now: EpochMs; cursors: DueCursor[] }> {
    return dueCursors(this.run, capability, limit);
  }

  fire(capability: Capability, firings: readonly Firing[], room: number): Promise<FireResult> {
    return fire(this.statements, capability, firings, room);
  }

  claim(capability: Capability, limit: number): Promise<ClaimResult> {
    return claim(this.run, capability, limit);
  }

  settle(settlements: readonly Settlement[]): Promise<string[]> {
    return settle(this.statements, settlements);
  }

  override transaction<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement,
    options: TransactionOptions,
  ): Promise<T> {
    return this.transactions.perform(work, conclude, options);
  }

  giveBack(runs: readonly Unstarted[]): Promise<void> {
    return giveBack(this.statements, runs);
  }

  heldBy(workerId: string): Promise<Unstarted[]> {
    return heldBy(this.run, workerId);
  }

  nextWakeAt(capability: Capability): Promise<NextWake> {
    return nextWakeAt(this.run, capability);
  }

  async queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<RunView>> {
    return queryRuns(this.database, this.tables, filter, page);
  }

  async queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    return queryAttempts(this.database, this.tables, filter, page);
  }

  async queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>> {
    return queryGaps(this.database, this.tables, filter, page);
  }

  async liftOverdue(): Promise<number> {
    const [{ count }] = await this.run<{ count: number }>('liftOverdue', runsPerStep);
    return count;
  }

  async deferStranded(): Promise<Deferral[]> {
    const rows = await this.run<Deferral>('deferStranded', runsPerStep, deferralMs);
    return rows.map(({ handler, queue, runs }) => ({ handler, queue, runs }));
  }

  async prune(ledgerMs: number): Promise<boolean> {
    return prune(this.run, this.database, this.tables, ledgerMs);
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
