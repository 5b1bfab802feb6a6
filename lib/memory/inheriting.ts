import type { EpochMs, Inheritance } from '../ports/storage.adapter.js';
import { takeOver } from './syncing.js';
import type { MemoryTables } from './tables.js';
import { recallDeferred } from './waiting.runs.js';

export function inherit(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  from: readonly string[],
): Inheritance {
  const live = new Set<string>();
  for (const worker of tables.workers.values()) if (worker.leaseUntil > now) live.add(worker.app);
  const gone = new Set(from.filter((each) => !live.has(each)));
  let taken = 0;
  for (const job of tables.jobs.values()) {
    if (job.source === 'code' || job.app === null || !gone.has(job.app)) continue;
    takeOver(tables, job, app);
    taken++;
  }
  if (taken > 0) recallDeferred(tables, now);
  return { taken, open: from.filter((each) => live.has(each)) };
}
