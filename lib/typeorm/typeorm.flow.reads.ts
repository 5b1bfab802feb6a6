import type { Page } from '../model/job.js';
import type {
  Flow,
  FlowReads,
  FlowStep,
  FlowStepFilter,
  PageRequest,
  RunningStep,
} from '../ports/storage.adapter.js';
import { getFlow, queryFlowSteps } from './flow.queries.js';
import { queryRunningSteps } from './flow.retrying.js';
import { isRunId } from './run.id.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementScope } from './statement.runner.js';

/** What is read of workflows, each call by itself or all within one transaction: the scope decides. */
export class TypeOrmFlowReads<Scope extends StatementScope = StatementScope> implements FlowReads {
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

  async queryFlowSteps(
    runId: string,
    filter: FlowStepFilter,
    page: PageRequest,
  ): Promise<Page<FlowStep> | null> {
    return queryFlowSteps(this.statements.queries, this.tables, runId, filter, page);
  }

  async queryRunningSteps(runId: string): Promise<RunningStep[]> {
    return isRunId(runId) ? queryRunningSteps(this.statements.run, runId) : [];
  }
}
