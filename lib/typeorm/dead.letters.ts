import type { Run as RunView } from '../model/run.js';
import { tellGone } from './run.conclusion.js';
import { isRunId } from './run.id.js';
import { toRun, type RunRow } from './run.rows.js';
import type { Run } from './statement.runner.js';

export async function retryRuns(
  run: Run,
  runIds: readonly string[],
  delaysMs: readonly number[],
  givenUp: readonly string[],
  trace: string | undefined,
): Promise<RunView[]> {
  const delays = new Map(runIds.map((id, nth) => [id, delaysMs[nth] ?? 0]));
  const ids = [...delays.keys()].filter(isRunId);
  const rows = await run<RunRow>(
    'retryRuns',
    ids,
    ids.map((id) => delays.get(id)),
    givenUp,
    trace ?? null,
  );
  return rows.map(toRun);
}

/** The ids of those that were there. */
export async function discardRuns(run: Run, runIds: readonly string[]): Promise<string[]> {
  const gone = await run<{ id: string; awaited: boolean }>('discardRuns', runIds.filter(isRunId));
  await tellGone(run, gone);
  return gone.map(({ id }) => id);
}
