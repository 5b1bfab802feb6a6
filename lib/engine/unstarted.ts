import type { ClaimedRun } from '../model/run.js';
import type { Unstarted } from '../ports/storage.adapter.js';

/** A claim that is to be given back. */
export function unstarted({ id, fence, worker }: ClaimedRun): Unstarted {
  return { runId: id, fence, worker };
}
