import type { GapVerdict } from '../model/verdict.js';
import type { EpochMs, NewGap } from '../ports/storage.adapter.js';
import { parseDuration } from '../triggers/duration.js';
import { afterDealt, owedInstants, passedOver, type Owed } from '../triggers/owed.js';
import type { GapRow, JobRow, MemoryTables } from './tables.js';

/** Sets where a job stands. The place of a job that must not fire is kept in an open gap instead. */
export function setCursor(tables: MemoryTables, job: JobRow, wanted: EpochMs | null): void {
  removeCursor(tables, job);
  if (wanted === null) return;
  const { namespace, id, trigger } = job.definition;
  const at = afterDealt(trigger, `${namespace}/${id}`, wanted, job.firedUntil);
  if (at === null) return;
  if (job.orphanedAt !== null) openGap(tables, job, at, 'missed', orphanReason(job));
  else if (job.pause !== null) openGap(tables, job, at, 'paused', pauseReason(job));
  else putCursor(tables, job, at);
}

/** The cursor goes; an open gap keeps its place. A job that is held for another reason already has such a gap. */
export function holdCursor(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  verdict: GapVerdict,
  reason: string,
): void {
  const { cursorAt } = job;
  removeCursor(tables, job);
  tellAhead(tables, now, job);
  if (cursorAt === null) return;
  // A cursor that waits for the end of a run has no place yet, but an orphan needs one to come back to.
  if (cursorAt !== Infinity) openGap(tables, job, cursorAt, verdict, reason);
  else if (job.orphanedAt !== null) openGap(tables, job, now, verdict, reason);
}

/** Puts the cursor of an orphan back to where it stood; a paused one goes on being paused from there. */
export function restoreCursor(tables: MemoryTables, job: JobRow): void {
  const gap = job.openGap;
  if (gap === null || gap.verdict !== 'missed') return;
  closeGap(tables, job, null);
  setCursor(tables, job, gap.from.getTime());
}

/** Ends the open gap: as `replacement` says, or, null, as if it had never been. */
export function closeGap(tables: MemoryTables, job: JobRow, replacement: NewGap | null): void {
  const gap = job.openGap;
  job.openGap = null;
  const index = gap === null ? -1 : tables.gaps.lastIndexOf(gap);
  if (gap === null || index < 0) return void (replacement && addGap(tables, job, replacement));
  if (replacement === null) return tables.splice(tables.gaps, index, 1);
  // It keeps its place among the gaps: pages are read by it.
  const { from, until, ...rest } = replacement;
  Object.assign(gap, rest, { from: new Date(from), until: new Date(until) });
}

/** Ends the open gap, by the schedule of until now, before the job goes or gets another one. */
export function endGap(tables: MemoryTables, job: JobRow, until: EpochMs): void {
  const gap = job.openGap;
  if (gap === null) return;
  const owed = owedBy(job, gap.from.getTime(), until);
  if (owed === null) return closeGap(tables, job, null);
  gap.until = new Date(owed.until);
  gap.count = owed.count;
  job.openGap = null;
}

/** Puts on record what the cursor owes until then, by the schedule of until now, before it goes or the job gets another one. */
export function recordOwed(tables: MemoryTables, job: JobRow, until: EpochMs, reason: string): void {
  const owed = owedBy(job, job.cursorAt, until);
  if (owed !== null) addGap(tables, job, { ...owed, verdict: 'missed', reason });
}

/** Puts on record as missed what a changed schedule, which is to go on at `at`, passes over since the one before has fired beyond it. */
export function recordPassedOver(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  at: EpochMs | null,
  reason: string,
): void {
  const { namespace, id, trigger } = job.definition;
  const passed = passedOver(trigger, `${namespace}/${id}`, at, job.firedUntil, now);
  if (passed.length === 0) return;
  const isOwn = (row: { jobId: string; namespace: string }): boolean =>
    row.jobId === id && row.namespace === namespace;
  const met = new Set([...job.runs].map(({ nominalAt }) => nominalAt));
  for (const attempt of tables.ledger) if (isOwn(attempt)) met.add(attempt.nominalAt.getTime());
  const gaps = tables.gaps.filter(isOwn);
  for (const instant of passed) {
    const isIn = ({ from, until }: GapRow): boolean =>
      from.getTime() <= instant && (until === null || until.getTime() >= instant);
    if (met.has(instant) || gaps.some(isIn)) continue;
    addGap(tables, job, { from: instant, until: instant, verdict: 'missed', count: 1, reason });
  }
}

function owedBy({ definition, firedUntil }: JobRow, at: EpochMs | null, until: EpochMs): Owed | null {
  const { namespace, id, trigger } = definition;
  return owedInstants(trigger, `${namespace}/${id}`, at, firedUntil, until);
}

export function addGap(
  tables: MemoryTables,
  job: JobRow,
  gap: Omit<NewGap, 'until'> & { until: EpochMs | null },
): GapRow {
  const { id, namespace } = job.definition;
  const row = tables.own<GapRow>('gaps', {
    sequence: tables.nextNumber(),
    jobId: id,
    namespace,
    from: new Date(gap.from),
    until: gap.until === null ? null : new Date(gap.until),
    verdict: gap.verdict,
    count: gap.count,
    reason: gap.reason,
  });
  tables.append(tables.gaps, row);
  return row;
}

/** Under fixed delay the next time is known only when a run has ended. */
export function endFixedDelay(tables: MemoryTables, job: JobRow, endedAt: EpochMs): void {
  const { trigger } = job.definition;
  if (job.cursorAt !== Infinity || trigger.type !== 'interval') return;
  const { every } = trigger;
  const at = endedAt + parseDuration(every, 'every');
  setCursor(tables, job, at);
  tables.wake({ kind: 'due', at, what: 'cursor' });
}

/** Keeps the indexed place in step with a changed definition. */
export function reindexCursor(tables: MemoryTables, job: JobRow): void {
  if (job.cursorAt !== null && job.cursorAt !== Infinity) putCursor(tables, job, job.cursorAt);
}

function putCursor(tables: MemoryTables, job: JobRow, at: EpochMs): void {
  job.cursorAt = at;
  if (at !== Infinity) tables.cursors.set(job, { ...job.definition, app: job.app, priority: 0 }, at);
}

/** What workers wait to begin may not be wanted any more. */
export function tellAhead(tables: MemoryTables, now: EpochMs, job: JobRow): void {
  const isAhead = [...job.runs].some(({ startedAt }) => startedAt !== null && startedAt > now);
  if (isAhead) tables.wake({ kind: 'change' });
}

export function removeCursor(tables: MemoryTables, job: JobRow): void {
  job.cursorAt = null;
  tables.cursors.delete(job);
}

function openGap(
  tables: MemoryTables,
  job: JobRow,
  from: EpochMs,
  verdict: GapVerdict,
  reason: string,
): void {
  job.openGap ??= addGap(tables, job, { from, until: null, verdict, count: 0, reason });
}

/** As gaps say it. */
export function orphanReason(job: JobRow): string {
  return job.orphanedReason === 'superseded' ? 'superseded' : 'orphaned';
}

function pauseReason(job: JobRow): string {
  return job.pause?.reason ?? 'paused';
}
