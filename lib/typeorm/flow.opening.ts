import type { NewFlow, NewFlowStep } from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';

/** Makes a flow of a run that was left open, in the same transaction. Returns its id, if it is over at once. */
export async function openFlow(run: Run, runId: string, flow: NewFlow): Promise<string | null> {
  const { workflow, version, params, steps } = flow;
  const places = new Map(steps.map(({ name }, index) => [name, index + 1]));
  const edges = steps.flatMap(({ name, after }) =>
    after.map((edge) => ({ ...edge, child: places.get(name)! })),
  );
  const [opened] = await run<{ id: string; active: number }>(
    'openFlow',
    runId,
    workflow,
    version,
    JSON.stringify(params),
    stepsAsJson(steps),
    edges.map(({ parent }) => places.get(parent)!),
    edges.map(({ child }) => child),
    edges.map(({ data }) => data),
  );
  return opened!.active === 0 ? opened!.id : null;
}

/** For `givenSteps`. */
export function stepsAsJson(steps: readonly NewFlowStep[]): string {
  return JSON.stringify(steps.map(({ after, ...step }) => ({ ...step, parents: after.length })));
}
