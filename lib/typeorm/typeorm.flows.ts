import type { Page } from '../model/job.js';
import type { ClaimedRun, Run } from '../model/run.js';
import type {
  EpochMs,
  Flow,
  FlowFilter,
  FlowStorage,
  UnservedStep,
  PageRequest,
} from '../ports/storage.adapter.js';
import { setFlowPause } from './flow.controls.js';
import { queryFlows } from './flow.queries.js';
import { FlowReconciling } from './flow.reconciling.js';
import type { UnkeptResults } from './flow.results.js';
import { retryFlow } from './flow.retrying.js';
import { conclude } from './run.conclusion.js';
import { isRunId } from './run.id.js';
import { WaitReconciling } from './run.waits.js';
import type { TableNames } from './sql/table.names.js';
import type { StatementRunner } from './statement.runner.js';
import { TypeOrmFlowReads } from './typeorm.flow.reads.js';

/** Workflows in PostgreSQL. What moves them on is part of the statements that end runs, see `conclude`: here is what users ask, and do to them. */
export class TypeOrmFlows extends TypeOrmFlowReads<StatementRunner> implements FlowStorage {
  private readonly reconciling = new FlowReconciling();
  private readonly waits = new WaitReconciling();

  constructor(
    statements: StatementRunner,
    tables: TableNames,
    private readonly unkept: UnkeptResults,
  ) {
    super(statements, tables);
  }

  onResultNotKept(told: (run: ClaimedRun) => void): () => void {
    return this.unkept.hear(told);
  }

  async queryFlows(filter: FlowFilter, page: PageRequest): Promise<Page<Flow>> {
    return queryFlows(this.statements.queries, this.tables, filter, page);
  }

  async pauseFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && setFlowPause(this.statements, runId, true);
  }

  async resumeFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && setFlowPause(this.statements, runId, false);
  }

  async retryFlow(runId: string, steps: readonly string[] | null): Promise<Run | null> {
    return isRunId(runId) ? this.statements.change(({ run }) => retryFlow(run, runId, steps)) : null;
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

  async unservedSteps(app: string, handlers: readonly string[], limit: number): Promise<UnservedStep[]> {
    const rows = await this.statements.run<UnservedStep>('unservedSteps', app, handlers, limit);
    return rows.map(({ workflow, version, handler, flows }) => ({ workflow, version, handler, flows }));
  }

  async reconcileFlows(): Promise<number> {
    const steps = await this.reconciling.step(this.statements);
    return steps + (await this.waits.step(this.statements, conclude));
  }
}
