import type { Page } from '../model/job.js';
import type { Run } from '../model/run.js';
import type {
  EpochMs,
  Flow,
  FlowFilter,
  FlowStep,
  FlowStepFilter,
  FlowStorage,
  RunningStep,
  UnservedStep,
  PageRequest,
} from '../ports/storage.adapter.js';
import { pauseFlow, pruneFlows, resumeFlow } from './flow.controls.js';
import { getFlow, laterRun, queryFlows, queryFlowSteps } from './flow.queries.js';
import { unservedSteps } from './flow.unserved.js';
import { runningSteps } from './flow.resetting.js';
import { retryFlow } from './flow.retrying.js';
import { givenUpBy } from './given.up.steps.js';
import { toRun } from './rows.to.views.js';
import type { Step } from './tables.js';

/** Takes one step that nobody else sees half done. */
type Taker = <T>(step: Step<T>, kind?: 'read') => Promise<T>;

/** Workflows in memory. */
export class MemoryFlows implements FlowStorage {
  constructor(private readonly atomically: Taker) {}

  getFlow(runId: string): Promise<Flow | null> {
    return this.atomically((tables) => getFlow(tables, runId), 'read');
  }

  laterRun(runId: string): Promise<string | null> {
    return this.atomically((tables) => laterRun(tables, runId), 'read');
  }

  queryFlows(filter: FlowFilter, page: PageRequest): Promise<Page<Flow>> {
    return this.atomically((tables) => queryFlows(tables, filter, page), 'read');
  }

  queryFlowSteps(runId: string, filter: FlowStepFilter, page: PageRequest): Promise<Page<FlowStep> | null> {
    return this.atomically((tables) => queryFlowSteps(tables, runId, filter, page), 'read');
  }

  queryRunningSteps(runId: string, givenUp: readonly string[] = []): Promise<RunningStep[]> {
    return this.atomically(
      (tables, now) => runningSteps(tables, runId, givenUpBy(tables, now, givenUp)),
      'read',
    );
  }

  pauseFlow(runId: string): Promise<boolean> {
    return this.atomically((tables, now) => pauseFlow(tables, now, runId));
  }

  resumeFlow(runId: string): Promise<boolean> {
    return this.atomically((tables) => resumeFlow(tables, runId));
  }

  retryFlow(
    runId: string,
    steps: readonly string[] | null,
    givenUp: readonly string[] = [],
    trace?: string,
  ): Promise<Run | null> {
    return this.atomically((tables, now) => {
      const run = retryFlow(tables, now, runId, steps, givenUp, trace);
      return run && toRun(run);
    });
  }

  pruneFlows(endedBefore: EpochMs, limit: number): Promise<number> {
    return this.atomically((tables) => pruneFlows(tables, endedBefore, limit));
  }

  unservedSteps(app: string, handlers: readonly string[], limit: number): Promise<UnservedStep[]> {
    return this.atomically((tables) => unservedSteps(tables, app, handlers, limit), 'read');
  }

  /** Nobody else ever writes here. */
  async reconcileFlows(): Promise<number> {
    return 0;
  }
}
