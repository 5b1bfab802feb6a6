import type { NewFlow, NewFlowStep } from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';

/** Makes a flow of a run that was left open, in the same transaction. Null: it has been one in an earlier attempt. */
export async function openFlow(
  run: Run,
  runId: string,
  flow: NewFlow,
  trace: string | undefined,
  place: string | null = null,
): Promise<{ id: string; active: number } | null> {
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
    trace ?? null,
    place,
  );
  return opened ?? null;
}

/** For `givenSteps`. */
export function stepsAsJson(steps: readonly NewFlowStep[]): string {
  return JSON.stringify(steps.map(({ after, ...step }) => ({ ...step, parents: after.length })));
}
