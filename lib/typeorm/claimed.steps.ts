import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type { Run } from './statement.runner.js';

interface StepRow {
  id: string;
  flow_run_id: string;
  workflow: string;
  version: number | null;
  name: string;
  nth: number | null;
  depth: number;
  place: string;
  params: JsonValue;
  payload: JsonValue;
  trace: string | null;
}

/** Tells claimed runs which steps of workflows they are, and what they get. `steps`: of each run that is one, by its id. */
export async function tellSteps(
  run: Run,
  runs: readonly ClaimedRun[],
  steps: ReadonlyMap<string, string>,
): Promise<void> {
  if (steps.size === 0) return;
  const rows = await run<StepRow>('readClaimedSteps', [...steps.values()], [...steps.keys()]);
  const found = new Map(rows.map((row) => [row.id, row]));
  for (const claimed of runs) {
    const row = found.get(steps.get(claimed.id) ?? '');
    if (!row) continue;
    const {
      flow_run_id: flowRunId,
      workflow,
      version,
      name,
      nth,
      depth,
      place,
      params,
      payload,
      trace,
    } = row;
    claimed.flowStep = { flowRunId, workflow, version, name, nth, depth, place, params };
    claimed.payload = payload;
    if (trace !== null) claimed.trace = { parent: trace, last: claimed.trace?.last ?? null };
  }
}
