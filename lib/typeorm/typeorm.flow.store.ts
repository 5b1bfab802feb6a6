import type { Page } from '../model/job.js';
import type { Run } from '../model/run.js';
import type {
  AuditedFlowStore,
  EpochMs,
  Flow,
  FlowFilter,
  FlowStep,
  FlowStepFilter,
  PageRequest,
  RunningStep,
} from '../ports/storage.adapter.js';
import { setFlowPauseAtOnce } from './flow.controls.js';
import { getFlow, queryFlows, queryFlowSteps } from './flow.queries.js';
import { queryRunningSteps, retryFlow } from './flow.retrying.js';
import { isRunId } from './run.id.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementScope } from './statement.runner.js';

/** What users do with workflows, each call by itself or all within one transaction: the scope decides. */
export class TypeOrmFlowStore<Scope extends StatementScope = StatementScope> implements AuditedFlowStore {
  constructor(
    protected readonly statements: Scope,
    protected readonly tables: TableNames,
  ) {}

  async getFlow(runId: string): Promise<Flow | null> {
    return getFlow(this.statements.queries, this.tables, runId);
  }

  async laterRun(runId: string): Promise<string | null> {
    if (!isRunId(runId)) return null;
    const [flow] = await this.statements.run<{ run_id: string }>('laterRun', runId);
    return flow?.run_id ?? null;
  }

  async queryFlows(filter: FlowFilter, page: PageRequest): Promise<Page<Flow>> {
    return queryFlows(this.statements.queries, this.tables, filter, page);
  }

  async queryFlowSteps(
    runId: string,
    filter: FlowStepFilter,
    page: PageRequest,
  ): Promise<Page<FlowStep> | null> {
    return queryFlowSteps(this.statements.queries, this.tables, runId, filter, page);
  }

  async queryRunningSteps(runId: string, givenUp: readonly string[] = []): Promise<RunningStep[]> {
    return isRunId(runId) ? queryRunningSteps(this.statements.run, runId, givenUp) : [];
  }

  async pauseFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && this.statements.change(({ run }) => setFlowPauseAtOnce(run, runId, true));
  }

  async resumeFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && this.statements.change(({ run }) => setFlowPauseAtOnce(run, runId, false));
  }

  async retryFlow(
    runId: string,
    steps: readonly string[] | null,
    givenUp: readonly string[] = [],
    trace?: string,
  ): Promise<Run | null> {
    if (!isRunId(runId)) return null;
    return this.statements.change(({ run }) => retryFlow(run, runId, steps, givenUp, trace));
  }

  async pruneFlows(endedBefore: EpochMs, limit: number, archived = false): Promise<number> {
    const [{ count }] = await this.statements.run<{ count: number }>(
      'forgetFlows',
      endedBefore,
      archived,
      limit,
      [],
      true,
    );
    return count;
  }
}
