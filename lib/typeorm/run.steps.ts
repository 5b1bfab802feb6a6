import type { JsonValue } from '../model/json.js';
import type { EpochMs, NewRunStep, Hold, RunStep } from '../ports/storage.adapter.js';
import { isRunId } from './run.id.js';
import type { Run } from './statement.runner.js';

interface RunStepRow {
  name: string;
  position: number | null;
  result: JsonValue;
  attempt: number;
  started_ms: EpochMs;
  finished_ms: EpochMs;
}

export async function queryRunSteps(run: Run, runId: string): Promise<RunStep[]> {
  if (!isRunId(runId)) return [];
  const rows = await run<RunStepRow>('queryRunSteps', runId);
  return rows.map(({ started_ms: startedAt, finished_ms: finishedAt, ...step }) => ({
    ...step,
    startedAt,
    finishedAt,
  }));
}

/** `mine`: the run is in these hands · `kept`: so is the step now, and there was none of that name. */
export async function recordRunStep(
  run: Run,
  { runId, fence, worker }: Hold,
  { name, position, result, attempt, startedAt }: NewRunStep,
): Promise<{ mine: boolean; kept: boolean }> {
  if (!isRunId(runId)) return { mine: false, kept: false };
  const values = [runId, fence, worker, name, position, JSON.stringify(result), attempt, startedAt];
  const [row] = await run<{ mine: boolean; kept: boolean }>('recordRunStep', ...values);
  return row!;
}
