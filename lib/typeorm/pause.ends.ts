import type { EpochMs } from '../ports/storage.adapter.js';
import type { Run } from './statement.runner.js';
import { addressOf, type StoredJob } from './stored.job.js';

/** Whether the pause of a job ends at another time than this; null: it is to have no end. */
export function endsOtherwise({ paused }: StoredJob, until: EpochMs | null): boolean {
  const end = paused?.until ?? null;
  return (end === Infinity ? null : end) !== until;
}

/** Before their pauses end, or they go; nothing is sent where none of them has anything noted. */
export async function forgetPauseEnds(run: Run, ...jobs: StoredJob[]): Promise<void> {
  const timed = jobs.filter(({ paused }) => paused !== null && paused.until !== null);
  if (timed.length > 0) await run('setPauseEnds', ...addressOf(...timed), null, false);
}
