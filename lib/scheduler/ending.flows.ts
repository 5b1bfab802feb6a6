import { isEnding } from '../ports/retry.refusals.js';
import type { RunReader } from './later.run.js';

/** Throws WorkflowRunStateError where the run is a workflow of which it is decided how it ends, which goes on until its last step has ended. */
export async function refuseEnding(runId: string, { flows }: Pick<RunReader, 'flows'>): Promise<void> {
  const flow = await flows?.getFlow(runId);
  if (flow?.ending == null) return;
  throw isEnding(runId, flow.ending, await flows!.queryRunningSteps(runId));
}
