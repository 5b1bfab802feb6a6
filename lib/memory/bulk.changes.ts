import type { JobRef } from '../model/job.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type { EpochMs, NewGap } from '../ports/storage.adapter.js';
import { cancelJob, deleteJob, pauseJob, resumeJob } from './controls.js';
import { keyOf, type JobRow, type MemoryTables } from './tables.js';

type Resumption = { nextAt: EpochMs | null; gap: NewGap | null };

export function changeJobs(
  tables: MemoryTables,
  now: EpochMs,
  refs: readonly JobRef[],
  change: BulkChange,
): BulkOutcome[] {
  const jobs = refs.map((ref) => tables.jobs.get(keyOf(ref)));
  // All plans are made before anything is changed, as one of them may throw.
  const plans = new Map<JobRow, Resumption>();
  if (change.kind === 'resume')
    for (const job of jobs) if (job?.pause) plans.set(job, planOf(job, change, now));
  return jobs.map((job) => (job ? changeJob(tables, now, job, change, plans.get(job)) : 'not-found'));
}

function changeJob(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  change: BulkChange,
  resumption: Resumption | undefined,
): BulkOutcome {
  const { revision } = job;
  switch (change.kind) {
    case 'pause':
      pauseJob(tables, now, job, change.pause);
      return job.revision > revision ? 'changed' : 'unchanged';
    case 'resume':
      if (resumption === undefined) return 'unchanged';
      resumeJob(tables, now, job, () => resumption);
      return 'changed';
    case 'cancel':
      return cancelJob(tables, now, job) > 0 ? 'changed' : 'unchanged';
    case 'delete':
      deleteJob(tables, now, job);
      return 'changed';
  }
}

function planOf(job: JobRow, { plan }: Extract<BulkChange, { kind: 'resume' }>, now: EpochMs): Resumption {
  const { id, namespace, trigger, timeZone } = job.definition;
  if (job.kind === 'one-off') return { nextAt: null, gap: null };
  const paused = job.openGap?.verdict === 'paused' ? job.openGap.from.getTime() : null;
  return plan({ namespace })(
    structuredClone({ id, trigger, timeZone, pausedFrom: paused, createdAt: job.createdAt }),
    now,
  );
}
