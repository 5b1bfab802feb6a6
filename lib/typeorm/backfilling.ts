import type { JobRef } from '../model/job.js';
import type { BackfillOrder, BackfillReport } from '../ports/backfill.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { unblock } from './run.conclusion.js';
import type { Change } from './statement.runner.js';
import { lockJob } from './stored.job.js';

interface ReportRow {
  run_ids: string[];
  created: EpochMs[];
  active: number;
  succeeded: number;
  scheduled: number;
}

/**
 * Null: no recurring job. Its lock keeps others from backfilling the same instants, that of the cursor keeps them from being fired. Runs in a queue are all
 * born blocked, and the first is let go if nothing is before it: those before are locked, so they either end before that, or see
 * what waits for them.
 */
export async function backfill(
  { run, readClock }: Change,
  ref: JobRef,
  { instants, overlap, includeSucceeded, dryRun }: BackfillOrder,
): Promise<BackfillReport | null> {
  const job = await lockJob(run, ref);
  if (job?.kind !== 'recurring') return null;
  const [cursor] = await run<{ next_at: EpochMs }>('lockCursor', job.uid);
  const inQueue = overlap === 'queue';
  if (inQueue && !dryRun) await run('lockQueue', job.uid);
  await readClock();
  const end = cursor?.next_at ?? (job.orphanedAt === null ? null : (job.openGap?.from ?? null));
  const values = [job.uid, instants, end, includeSucceeded, dryRun, inQueue];
  const [row] = await run<ReportRow>('backfill', ...values);
  if (inQueue && !dryRun) await unblock(run, [job.uid]);
  const { run_ids: runIds, created, active, succeeded, scheduled } = row;
  return { runIds, created, active, succeeded, scheduled };
}
