import { GrowthRefusal } from '../model/growth.refusal.js';
import { maxFlowSteps } from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';

/** Steps that a locked flow gets. */
export interface MoreSteps {
  /** The step by which it gets them, or as which it opens. */
  by: string;
  count: number;
  /** For the error. */
  workflow: string;
}

/** Counts them with all that belongs to the same workflow, with those in it. Throws InvalidWorkflowError where these would be too many. */
export async function countSteps(run: Run, more: readonly MoreSteps[]): Promise<void> {
  const some = more.filter(({ count }) => count > 0);
  if (some.length === 0) return;
  const roots = await run<{ run_id: string; workflow: string; steps: number }>(
    'countSteps',
    some.map(({ by }) => by),
    some.map(({ count }) => count),
  );
  const full = roots.find(({ steps }) => steps > maxFlowSteps);
  if (full) throw new GrowthRefusal(full.workflow, full.run_id).tooMany(some[0]!.workflow, maxFlowSteps);
}
