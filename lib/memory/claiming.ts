import type { Capability, ClaimResult, EpochMs, NextWake, Unstarted } from '../ports/storage.adapter.js';
import { cancelWaiting, claimRun, handBack, isHeldWith, isUnwanted } from './runs.js';
import { reachOf } from './scopes.js';
import type { MemoryTables } from './tables.js';
import { holdsLease } from './workers.js';

export function claim(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  limit: number,
  aheadMs: number,
): ClaimResult {
  const { workerId } = capability;
  if (!holdsLease(tables, now, workerId)) return { now, runs: [] };
  const due = tables.waiting.take(reachOf(tables, capability), now + aheadMs, limit);
  return { now, runs: due.map((run) => claimRun(tables, now, run, workerId)) };
}

export function giveBack(tables: MemoryTables, now: EpochMs, runs: readonly Unstarted[]): void {
  for (const hold of runs) {
    const run = tables.runs.get(hold.runId);
    if (!isHeldWith(run, hold)) continue;
    handBack(tables, run);
    if (isUnwanted(run)) cancelWaiting(tables, now, run);
  }
}

export function heldBy(tables: MemoryTables, workerId: string): Unstarted[] {
  return [...(tables.held.get(workerId) ?? [])].map(({ id, fence }) => ({
    runId: id,
    fence,
    worker: workerId,
  }));
}

export function nextWakeAt(tables: MemoryTables, now: EpochMs, capability: Capability): NextWake {
  const reach = reachOf(tables, capability);
  return {
    now,
    cursorAt: tables.cursors.earliest(reach),
    runAt: tables.waiting.earliest(reach),
    leaseEndsAt: earliestLeaseEnd(tables, capability.workerId),
  };
}

/** Only of workers that hold runs: others leave nothing to take back. */
function earliestLeaseEnd(tables: MemoryTables, exceptOf: string): EpochMs | null {
  let earliest = Infinity;
  for (const id of tables.held.keys()) {
    if (id !== exceptOf) earliest = Math.min(earliest, tables.workers.get(id)?.leaseUntil ?? -Infinity);
  }
  return earliest === Infinity ? null : earliest;
}
