import type { FailureReport } from '../model/failure.js';
import type { Job, JobFilter, JobRef, Page } from '../model/job.js';
import type { ScopeRef } from '../model/pause.js';
import type { Attempt, ClaimedRun, Gap, ListedRun, Run as RunView } from '../model/run.js';
import type { BackfillOrder, BackfillReport } from '../ports/backfill.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type {
  AttemptFilter,
  AuditedStore,
  AuditFilter,
  AuditNote,
  RequestMark,
  ConflictPolicy,
  EpochMs,
  FailureFilter,
  FlowStore,
  GapFilter,
  InsertResult,
  JobPatch,
  JobStore,
  NewJob,
  NewRunSignal,
  JobPageRequest,
  PageRequest,
  PauseOrder,
  RunFilter,
  SignalAnswer,
  RunStep,
  ScopeResumption,
  Settlement,
  StoredAudit,
  StoredPause,
  WorkerInfo,
} from '../ports/storage.adapter.js';
import { waitsForJobs } from '../ports/waits.js';
import { auditedJobs } from './audited.jobs.js';
import { queryAudit } from './auditing.js';
import { backfill } from './backfilling.js';
import { changeJobs } from './bulk.changes.js';
import { discardRuns, retryRuns } from './dead.letters.js';
import { queryFailures } from './failures.js';
import { isRunId } from './run.id.js';
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
import { countJobs, getJob, queryJobs, queryRefs } from './job.queries.js';
import { changeJob, replaceJobs } from './job.updates.js';
import { queryAttempts, queryGaps, queryRuns } from './record.queries.js';
import { toRun, type RunRow } from './run.rows.js';
import { settleOpen } from './run.settling.js';
import { queryRunSteps, sendRunSignal } from './run.steps.js';
import { pauseScope, queryPauses, resumeScope } from './scopes.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementScope } from './statement.runner.js';
import { TypeOrmFlowStore } from './typeorm.flow.store.js';
import { TypeOrmDefinitions } from './versioned.definitions.js';
import { insertWaitingJobs } from './waiting.jobs.js';
import { queryWorkers } from './worker.registry.js';

/** What users do to jobs, each call by itself or all within one transaction: the scope decides. */
export class TypeOrmJobs implements JobStore {
  readonly definitions: TypeOrmDefinitions;
  readonly flows: FlowStore;

  constructor(
    private readonly statements: StatementScope,
    private readonly tables: TableNames,
  ) {
    this.definitions = new TypeOrmDefinitions(statements, tables);
    this.flows = new TypeOrmFlowStore(statements, tables);
  }

  async insertJobs(jobs: readonly NewJob[], onConflict: ConflictPolicy): Promise<InsertResult[]> {
    if (jobs.some(waitsForJobs)) {
      return this.statements.change(({ run }) => insertWaitingJobs(run, jobs, onConflict));
    }
    return insertJobs(this.run, jobs, onConflict, (taken) =>
      onConflict === 'replace' ? replaceJobs(this.statements, taken) : existingJobs(this.run, taken),
    );
  }

  getJob(ref: JobRef): Promise<Job | null> {
    return getJob(this.run, ref);
  }

  async queryJobs(filter: JobFilter, page: JobPageRequest): Promise<Page<Job>> {
    return queryJobs(this.statements.queries, this.tables, filter, page);
  }

  async queryRefs(filter: JobFilter, page: PageRequest): Promise<Page<JobRef>> {
    return queryRefs(this.statements.queries, this.tables, filter, page);
  }

  async countJobs(filter: JobFilter): Promise<number> {
    return countJobs(this.statements.queries, this.tables, filter);
  }

  updateJob(ref: JobRef, patch: JobPatch, expectedRevision?: number): Promise<Job | 'not-found' | 'stale'> {
    return this.statements.change((change) => changeJob(change, ref, patch, expectedRevision));
  }

  deleteJob(ref: JobRef): Promise<boolean> {
    return this.statements.change((change) => deleteJob(change, ref));
  }

  pauseJob(ref: JobRef, pause: PauseOrder): Promise<Job | null> {
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

  changeJobs(refs: readonly JobRef[], change: BulkChange): Promise<BulkOutcome[]> {
    return this.statements.change((within) => changeJobs(within, refs, change));
  }

  async cancelRun(runId: string): Promise<'cancelled' | 'requested' | null> {
    return isRunId(runId) ? this.statements.change((change) => cancelRun(change, runId)) : null;
  }

  async runNow(ref: JobRef, givenUp: readonly string[] = [], trace?: string): Promise<RunView | null> {
    const [born] = await this.run<RunRow>('runManually', ref.namespace, ref.id, trace ?? null);
    const row = born ?? (await this.statements.change((change) => runOneOffNow(change, ref, givenUp, trace)));
    return row && toRun(row);
  }

  backfill(ref: JobRef, order: BackfillOrder): Promise<BackfillReport | null> {
    return this.statements.change((change) => backfill(change, ref, order));
  }

  pauseScope(scope: ScopeRef, pause: PauseOrder): Promise<StoredPause> {
    return pauseScope(this.run, scope, pause);
  }

  resumeScope(scope: ScopeRef, plan: ScopeResumption): Promise<boolean> {
    return this.statements.change((change) => resumeScope(change, scope, plan));
  }

  queryPauses(): Promise<StoredPause[]> {
    return queryPauses(this.run);
  }

  retryRuns(
    runIds: readonly string[],
    delaysMs: readonly number[] = [],
    givenUp: readonly string[] = [],
    trace?: string,
  ): Promise<RunView[]> {
    return retryRuns(this.run, runIds, delaysMs, givenUp, trace);
  }

  discardRuns(runIds: readonly string[]): Promise<string[]> {
    return this.statements.change(({ run }) => discardRuns(run, runIds));
  }

  async settleOpen(runId: string, judge: (run: ClaimedRun, now: EpochMs) => Settlement): Promise<boolean> {
    return isRunId(runId) && settleOpen(this.statements, runId, judge);
  }

  queryRunSteps(runId: string): Promise<RunStep[]> {
    return queryRunSteps(this.run, runId);
  }

  sendRunSignal(runId: string, signal: NewRunSignal): Promise<SignalAnswer> {
    return sendRunSignal(this.statements, runId, signal);
  }

  async queryRuns(filter: RunFilter, page: PageRequest): Promise<Page<ListedRun>> {
    return queryRuns(this.statements.queries, this.tables, filter, page);
  }

  async queryAttempts(filter: AttemptFilter, page: PageRequest): Promise<Page<Attempt>> {
    return queryAttempts(this.statements.queries, this.tables, filter, page);
  }

  async queryFailures(filter: FailureFilter, limit: number): Promise<FailureReport> {
    return queryFailures(this.statements.queries, this.tables, filter, limit);
  }

  async queryGaps(filter: GapFilter, page: PageRequest): Promise<Page<Gap>> {
    return queryGaps(this.statements.queries, this.tables, filter, page);
  }

  async audited(note: AuditNote, once?: RequestMark): Promise<AuditedStore> {
    const { statements, tables } = this;
    return auditedJobs((scope) => new TypeOrmJobs(scope, tables), statements, tables, note, once);
  }

  async queryAudit(filter: AuditFilter, page: PageRequest): Promise<Page<StoredAudit>> {
    return queryAudit(this.statements.queries, this.tables, filter, page);
  }

  queryWorkers(): Promise<WorkerInfo[]> {
    return queryWorkers(this.run);
  }

  async now(): Promise<EpochMs> {
    const [{ now }] = await this.run<{ now: EpochMs }>('readTime');
    return now;
  }

  private get run() {
    return this.statements.run;
  }
}
