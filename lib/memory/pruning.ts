import type { EpochMs } from '../ports/storage.adapter.js';
import { pruneDeadLetters } from './dead.letters.js';
import { forget } from './runs.js';
import type { MemoryTables } from './tables.js';

/** All in one go, as memory is fast: there is never more. */
export function prune(tables: MemoryTables, now: EpochMs, ledgerMs: number): boolean {
  const horizon = now - ledgerMs;
  keepOnly(tables.ledger, (row) => row.finishedAt.getTime() >= horizon);
  keepOnly(tables.gaps, (gap) => gap.until === null || gap.until.getTime() >= horizon);
  for (const run of tables.runs.values()) {
    if (run.keptUntil !== null && run.keptUntil <= now) forget(tables, run.job);
  }
  pruneDeadLetters(tables, () => horizon);
  for (const worker of tables.workers.values()) {
    if (worker.leaseUntil < horizon && !tables.held.has(worker.id)) tables.workers.delete(worker.id);
  }
  return false;
}

function keepOnly<T>(rows: T[], isKept: (row: T) => boolean): void {
  const kept = rows.filter(isKept);
  if (kept.length < rows.length) rows.splice(0, rows.length, ...kept);
}
