import type { Run } from './statement.runner.js';

/** False: there is no such flow, or it is over. What runs goes on, and is held when it comes back. */
export async function pauseFlow(run: Run, runId: string): Promise<boolean> {
  return setPause(run, runId, true);
}

export async function resumeFlow(run: Run, runId: string): Promise<boolean> {
  return setPause(run, runId, false);
}

async function setPause(run: Run, runId: string, isPaused: boolean): Promise<boolean> {
  const [flow] = await run<{ id: string }>('findFlow', runId);
  if (!flow) return false;
  // Runs come before flows; those that are born until the flow is locked are found by the second look.
  await run('lockFlowRuns', [flow.id]);
  await run('lockFlows', [], [flow.id]);
  const going = await run('setFlowPause', flow.id, isPaused);
  if (going.length === 0) return false;
  const runs = await run<{ id: string }>('lockFlowRuns', [flow.id]);
  const ids = runs.map(({ id }) => id);
  if (ids.length > 0) await run(isPaused ? 'holdRuns' : 'releaseRuns', [], ids);
  return true;
}
