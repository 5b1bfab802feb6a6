import type { Birth, Capability, DueCursor, EpochMs, Firing, FireResult } from '../ports/storage.adapter.js';
import { addGap, setCursor } from './cursors.js';
import { bearRun, claimRun } from './runs.js';
import type { JobRow, MemoryTables, RunRow } from './tables.js';
import { holdsLease } from './workers.js';

export function dueCursors(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  limit: number,
): { now: EpochMs; cursors: DueCursor[] } {
  return { now, cursors: tables.cursors.peek(capability, now, limit).map(toDueCursor) };
}

export function fire(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  firings: readonly Firing[],
  room: number,
): FireResult {
  const result: FireResult = { now, moved: [], runs: [], unclaimed: 0, skipped: [] };
  const mayClaim = holdsLease(tables, now, capability.workerId);
  for (const firing of firings) {
    const job = tables.jobsByUid.get(firing.jobUid);
    if (!job || job.cursorAt !== firing.nominalAt || job.revision !== firing.revision) continue;
    result.moved.push(job.uid);
    setCursor(tables, job, firing.nextAt);
    job.fired = firing.fired;
    for (const gap of firing.gaps) addGap(tables, job, gap);
    for (const birth of firing.births) {
      const run = bear(tables, job, firing, birth);
      if (run === 'skipped') {
        result.skipped.push({ jobUid: job.uid, nominalAt: birth.nominalAt });
      } else if (run !== 'exists') {
        const claimed =
          mayClaim && result.runs.length < room && run.dueAt <= now && canExecute(capability, job);
        if (claimed) result.runs.push(claimRun(tables, now, run, capability.workerId));
        else result.unclaimed++;
        if (!claimed) tables.wake({ kind: 'due', at: run.dueAt });
      }
    }
  }
  return result;
}

/** Creates one occurrence, unless an earlier run is not finished and overlaps are to be left out. */
function bear(
  tables: MemoryTables,
  job: JobRow,
  { overlap }: Firing,
  { nominalAt, dueAt, missed }: Birth,
): RunRow | 'skipped' | 'exists' {
  // A trigger that was changed may name an instant again whose run is still there.
  for (const run of job.runs) {
    if (run.origin === 'schedule' && run.nominalAt === nominalAt) return 'exists';
  }
  if (overlap === 'skip' && job.runs.size > 0) {
    addGap(tables, job, {
      from: nominalAt,
      until: nominalAt,
      verdict: 'skipped',
      count: 1,
      reason: 'overlap',
    });
    return 'skipped';
  }
  return bearRun(tables, job, { origin: 'schedule', nominalAt, dueAt, missed });
}

function canExecute({ queues, handlers }: Capability, { definition }: JobRow): boolean {
  return queues.includes(definition.queue) && handlers.includes(definition.handler);
}

function toDueCursor(job: JobRow): DueCursor {
  const { id, namespace, handler, trigger, timeZone, policies } = job.definition;
  return {
    jobUid: job.uid,
    jobId: id,
    namespace,
    handler,
    nominalAt: job.cursorAt!,
    revision: job.revision,
    fired: job.fired,
    trigger,
    timeZone,
    policies,
  };
}
