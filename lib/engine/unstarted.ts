import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Unstarted } from '../ports/storage.adapter.js';

/** A claim that is to be given back; `delayMs`: it comes again so much later. */
export function unstarted({ id, fence, worker }: ClaimedRun, delayMs = 0): Unstarted {
  return { runId: id, fence, worker, delayMs };
}

/** Whether its nominal time is what it was due at: that of a backfill or of a retry by hand is long past. */
export function isFirstStart({ fence, origin }: ClaimedRun): boolean {
  return fence <= 1 && origin !== 'backfill' && origin !== 'retry';
}

/** It must not run twice: what of it is given back ends as lost. */
export function isOnce({ policies }: Pick<ClaimedRun, 'policies'>): boolean {
  return policyOf(policies, 'recovery') === 'abandon';
}
