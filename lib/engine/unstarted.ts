import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Unstarted } from '../ports/storage.adapter.js';

/** A claim that is to be given back; `delayMs`: it comes again so much later. */
export function unstarted({ id, fence, worker }: ClaimedRun, delayMs = 0): Unstarted {
  return { runId: id, fence, worker, delayMs };
}

/** It must not run twice: what of it is given back ends as lost. */
export function isOnce({ policies }: Pick<ClaimedRun, 'policies'>): boolean {
  return policyOf(policies, 'recovery') === 'abandon';
}
