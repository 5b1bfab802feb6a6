import type { JobRef } from '../model/job.js';
import { abandoned } from '../ports/abandonment.js';
import type {
  Capability,
  ClaimResult,
  GiveBackResult,
  EpochMs,
  NextWake,
  Unstarted,
} from '../ports/storage.adapter.js';
import type { DueBy } from './due.by.js';
import { cancelWaiting, claimRun, handBack, isHeldWith, isUnwanted, mustNotRunTwice } from './runs.js';
import { earliestPauseEnd } from './pause.ends.js';
import { pausedDeadlines } from './paused.deadlines.js';
import { reachOf } from './scopes.js';
import { isTooLong } from './workers.js';
import type { MemoryTables, RunRow } from './tables.js';
import { giveUp, holdsLease } from './workers.js';

export function claim(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  limit: number,
  { by, onceBy }: DueBy,
): ClaimResult {
  const { workerId } = capability;
  if (!holdsLease(tables, now, workerId)) return { now, runs: [] };
  // What must not run twice is not handed out before its time: it would be lost with this worker until then.
  const isReady = (run: RunRow): boolean => run.dueAt <= onceBy || !mustNotRunTwice(run);
  const reach = reachOf(tables, capability);
  const due = tables.waiting.take(reach, by, limit, isReady);
  for (const run of pausedDeadlines(tables, reach, capability))
    if (due.length < limit && run.dueAt <= by && isReady(run)) due.push(run);
  return { now, runs: due.map((run) => claimRun(tables, now, run, workerId)) };
}

/** Nobody else can lock anything here, so nothing is ever left. */
export function giveBack(tables: MemoryTables, now: EpochMs, runs: readonly Unstarted[]): GiveBackResult {
  const lost: JobRef[] = [];
  for (const hold of runs) {
    const run = tables.runs.get(hold.runId);
    if (!isHeldWith(run, hold)) continue;
    // What is open is not executed.
    const isOver = run.open === null ? isUnwanted(run) : run.cancelRequested;
    if (mustNotRunTwice(run) && !isOver) {
      const { namespace, id } = run.job.definition;
      lost.push({ namespace, id });
      run.attempt--;
      run.fence++;
      giveUp(tables, now, run, { startedAt: null, finishedAt: now, error: abandoned.unstarted });
      continue;
    }
    const { delayMs = 0 } = hold;
    // By a claim before this one.
    const hasBegun = run.fence > 1;
    handBack(tables, run, delayMs > 0 ? Math.max(run.dueAt, now + delayMs) : run.dueAt);
    if (isOver) cancelWaiting(tables, now, run, null, hasBegun);
  }
  return { lost, left: [] };
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
  let runAt = tables.waiting.earliest(reach);
  for (const { dueAt } of pausedDeadlines(tables, reach, capability)) runAt = Math.min(runAt ?? dueAt, dueAt);
  return {
    now,
    cursorAt: tables.cursors.earliest(reach),
    runAt,
    leaseEndsAt: earliestLeaseEnd(tables, now, capability.workerId),
    pauseEndsAt: earliestPauseEnd(tables, capability.app),
  };
}

/** Only of workers that hold runs: others leave nothing to take back. One that is too long counts as over: a release cuts it. */
function earliestLeaseEnd(tables: MemoryTables, now: EpochMs, exceptOf: string): EpochMs | null {
  let earliest = Infinity;
  for (const id of tables.held.keys()) {
    if (id === exceptOf) continue;
    const worker = tables.workers.get(id);
    const endsAt = worker && isTooLong(worker, now) ? now : (worker?.leaseUntil ?? -Infinity);
    earliest = Math.min(earliest, endsAt);
  }
  return earliest === Infinity ? null : earliest;
}
