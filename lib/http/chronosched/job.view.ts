import type { GraphStep, Job, RunState, WorkflowGraph, WorkflowStep } from '../../index.js';
import type { Dag } from './dag.draft.js';
import { jobIdOf } from './names.js';

export type GraphOfDag = Pick<WorkflowGraph, 'steps' | 'runId'>;

/** What a run that goes on, or waits, is called there. */
const words: Partial<Record<RunState, string>> = { waiting: 'queued', open: 'ready' };

/** A job of a DAG. `graph`: null: it has not begun. */
export function jobView({ definition, about }: Dag, step: WorkflowStep, graph: GraphOfDag | null) {
  const { name: dagId, namespace } = definition;
  const found = graph?.steps.find(({ name, nth }) => name === step.name && nth === null) ?? null;
  return {
    id: jobIdOf(dagId, step.name),
    dagId,
    namespaceId: namespace,
    defId: about?.jobs[step.name] ?? null,
    manual: step.manual === true,
    delayInterval: step.delay ?? null,
    status: found === null ? 'pending' : statusOf(found),
    runId: found?.runId ?? null,
    waitsFor: found?.waitsFor ?? null,
    reason: found?.reason ?? null,
    finishedAt: found?.endedAt ?? null,
  };
}

function statusOf({ state, runState }: GraphStep): string {
  if (state === 'waiting') return 'pending';
  if (state !== 'released') return state;
  return runState === null ? 'queued' : (words[runState] ?? runState);
}

/** A job that is of no DAG: what a definition with `cronSpec` has made, or anybody else. */
export function plainJobView(job: Job): Record<string, unknown> {
  const { id, namespace, metadata, state, nextRunAt, lastVerdict, lastRunAt } = job;
  const { chronis_definition: defId } = metadata as { chronis_definition?: string };
  return {
    id,
    dagId: null,
    namespaceId: namespace,
    defId: defId ?? null,
    status: state === 'completed' ? 'succeeded' : state === 'scheduled' ? 'queued' : state,
    dueAt: nextRunAt,
    lastVerdict,
    lastRunAt,
  };
}
