import type { FlowStorage, UnservedStep } from '../ports/storage.adapter.js';
import { setFlowPause } from './flow.controls.js';
import { FlowReconciling } from './flow.reconciling.js';
import { conclude } from './run.conclusion.js';
import { isRunId } from './run.id.js';
import { WaitReconciling } from './run.waits.js';
import type { StatementRunner } from './statement.runner.js';
import { TypeOrmFlowStore } from './typeorm.flow.store.js';

/** Workflows in PostgreSQL. What moves them on is part of the statements that end runs, see `conclude`: here is what users ask, and do to them. */
export class TypeOrmFlows extends TypeOrmFlowStore<StatementRunner> implements FlowStorage {
  private readonly reconciling = new FlowReconciling();
  private readonly waits = new WaitReconciling();

  /** See `setFlowPause`: there may be too many for one transaction. */
  override async pauseFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && setFlowPause(this.statements, runId, true);
  }

  override async resumeFlow(runId: string): Promise<boolean> {
    return isRunId(runId) && setFlowPause(this.statements, runId, false);
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
