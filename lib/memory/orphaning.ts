import type { JobRef } from '../model/job.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { carriedSets, declaredJobs } from './releases.js';
import { orphan } from './syncing.js';
import { keyOf, type MemoryTables } from './tables.js';

export function orphanUndeclared(tables: MemoryTables, now: EpochMs, app: string, graceMs: number): JobRef[] {
  if (!isWitnessed(tables, now, app, graceMs)) return [];
  const sets = carriedSets(tables, now, app, graceMs);
  const carried = new Set(sets.flatMap(({ declarations }) => declarations.map(keyOf)));
  const undeclared = declaredJobs(tables, app).filter(
    (job) => job.orphanedAt === null && !carried.has(keyOf(job.definition)),
  );
  return undeclared.map((job) => {
    orphan(tables, now, job, 'undeclared');
    const { namespace, id } = job.definition;
    return { namespace, id };
  });
}

/** Whether a live worker of the app has been there for so long: after an outage of all, others may be about to come back, too. */
function isWitnessed(tables: MemoryTables, now: EpochMs, app: string, graceMs: number): boolean {
  return [...tables.workers.values()].some(
    (worker) => worker.app === app && worker.leaseUntil > now && worker.startedAt <= now - graceMs,
  );
}
