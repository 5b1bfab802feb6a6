import type { Birth, Capability, DueCursor, EpochMs, Firing, FireResult } from '../ports/storage.adapter.js';
import { addGap, setCursor } from './cursors.js';
import { bearRun, cancel, claimRun, mustNotRunTwice } from './runs.js';
import type { DueBy } from './due.by.js';
import { isStopped, reachOf } from './scopes.js';
import type { JobRow, MemoryTables, RunRow } from './tables.js';
import { holdsLease } from './workers.js';

export function dueCursors(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  limit: number,
  aheadMs: number,
): { now: EpochMs; cursors: DueCursor[] } {
  const due = tables.cursors.peek(reachOf(tables, capability), now + aheadMs, limit);
  return { now, cursors: due.map(toDueCursor) };
}

export function fire(
  tables: MemoryTables,
  now: EpochMs,
  capability: Capability,
  firings: readonly Firing[],
  room: number,
  { by, onceBy }: DueBy,
): FireResult {
  const result: FireResult = { now, moved: [], runs: [], unclaimed: 0, skipped: [] };
  const mayClaim = holdsLease(tables, now, capability.workerId);
  for (const firing of firings) {
    const job = tables.jobsByUid.get(firing.jobUid);
    if (!job || job.cursorAt !== firing.nominalAt || job.revision !== firing.revision) continue;
    if (firing.overlap === 'wait' && ownRuns(job).length > 0) continue;
    if (isStopped(tables, job)) continue;
    result.moved.push(job.uid);
    setCursor(tables, job, firing.nextAt);
    job.fired = firing.fired;
    for (const gap of firing.gaps) addGap(tables, job, gap);
    const births = newBirths(job, firing);
    job.firedUntil = Math.max(job.firedUntil ?? -Infinity, firing.until);
    for (const [nth, birth] of births.entries()) {
      const run = bear(tables, now, job, firing.overlap, birth, nth === births.length - 1);
      if (run === null) {
        result.skipped.push({ jobUid: job.uid, nominalAt: birth.nominalAt });
        continue;
      }
      const isReady = run.dueAt <= (mustNotRunTwice(run) ? onceBy : by);
      const due = run.blockedBy.size === 0 && isReady;
      const claimed = due && mayClaim && result.runs.length < room && canExecute(capability, job);
      if (claimed) result.runs.push(claimRun(tables, now, run, capability.workerId));
      else result.unclaimed++;
      if (!claimed && run.blockedBy.size === 0) tables.wake({ kind: 'due', at: run.dueAt, what: 'run' });
    }
  }
  return result;
}

/** A trigger that was changed may name an instant again that has fired. */
function newBirths(job: JobRow, { births }: Firing): Birth[] {
  const known = [...job.runs].filter(({ origin }) => origin === 'schedule' || origin === 'backfill');
  const there = new Set(known.map((run) => run.nominalAt));
  return births.filter(({ nominalAt }) => nominalAt > (job.firedUntil ?? -Infinity) && !there.has(nominalAt));
}

/** Creates one occurrence; null: it is left out, since it meets an earlier run. */
function bear(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  overlap: Firing['overlap'],
  { nominalAt, dueAt, missed }: Birth,
  isLast: boolean,
): RunRow | null {
  if (isLeftOut(job, overlap, isLast)) {
    const range = { from: nominalAt, until: nominalAt };
    addGap(tables, job, { ...range, verdict: 'skipped', count: 1, reason: 'overlap' });
    return null;
  }
  if (overlap === 'cancel-running') for (const run of ownRuns(job)) cancel(tables, now, run);
  const earlier = overlap === 'allow' || overlap === 'wait' ? [] : ownRuns(job);
  return bearRun(tables, job, { origin: 'schedule', nominalAt, dueAt, missed }, earlier);
}

function isLeftOut(job: JobRow, overlap: Firing['overlap'], isLast: boolean): boolean {
  switch (overlap) {
    case 'allow':
    case 'wait':
      return false;
    case 'skip':
      return ownRuns(job).length > 0;
    case 'queue':
      return ownRuns(job).some((run) => run.blockedBy.size > 0);
    case 'cancel-running':
      return !isLast;
  }
}

/** Backfilled runs are beside the schedule: they are in nobody's way. */
function ownRuns({ runs }: JobRow): RunRow[] {
  return [...runs].filter(({ origin }) => origin !== 'backfill');
}

function canExecute({ app, queues, handlers }: Capability, { app: owner, definition }: JobRow): boolean {
  if (owner !== null && owner !== app) return false;
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
