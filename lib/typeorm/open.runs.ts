import type { ClaimedRun } from '../model/run.js';
import { outside } from '../ports/outside.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { tellSteps } from './claimed.steps.js';
import { toClaimedRun, type ClaimedRow } from './run.rows.js';
import type { Run } from './statement.runner.js';

/** Takes an open run, to end it; null: it is not open. `as`: `takeOver` where it was a workflow, which is over. */
export async function takeOpen(
  run: Run,
  runId: string,
  as: 'takeOpen' | 'takeOver' = 'takeOpen',
): Promise<{ taken: ClaimedRun & { openedAt: EpochMs }; now: EpochMs } | null> {
  const [row] = await run<ClaimedRow & { opened_at: EpochMs; flow_step: string | null; now: EpochMs }>(
    as,
    runId,
    outside,
  );
  if (!row) return null;
  const taken = { ...toClaimedRun(row, outside), openedAt: row.opened_at };
  if (row.flow_step !== null) await tellSteps(run, [taken], new Map([[runId, row.flow_step]]));
  return { taken, now: row.now };
}
