import type { JobRef } from '../model/job.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { adopt, declaredJobs, orphan } from './syncing.js';
import type { MemoryTables } from './tables.js';
import { holdsLease } from './workers.js';

export function orphanUndeclared(tables: MemoryTables, now: EpochMs, app: string, graceMs: number): JobRef[] {
  const declared = declaredAlive(tables, now, app);
  const orphaned: JobRef[] = [];
  for (const job of declaredJobs(tables, app)) {
    const { namespace, id } = job.definition;
    if (declared.has(`${namespace}/${id}`)) {
      adopt(tables, now, job);
      continue;
    }
    job.undeclaredSince ??= now;
    if (job.orphanedAt !== null || now - job.undeclaredSince < graceMs) continue;
    orphan(tables, now, job);
    orphaned.push({ namespace, id });
  }
  return orphaned;
}

/** What the generations of all live workers of the app declare. */
function declaredAlive(tables: MemoryTables, now: EpochMs, app: string): Set<string> {
  const releases = tables.releases.get(app) ?? [];
  const declared = new Set<string>();
  for (const worker of tables.workers.values()) {
    if (worker.app !== app || worker.generation === null || !holdsLease(tables, now, worker.id)) continue;
    for (const key of releases[worker.generation - 1]?.declared ?? []) declared.add(key);
  }
  return declared;
}
