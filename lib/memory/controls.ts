import type { Job } from '../model/job.js';
import { stillRuns } from '../ports/retry.refusals.js';
import type { EpochMs, PauseOrder, StorageAdapter } from '../ports/storage.adapter.js';
import { closeGap, holdCursor, setCursor } from './cursors.js';
import { begin, clear, touch } from './definitions.js';
import { runningSteps } from './flow.resetting.js';
import { isTimedFlow } from './flow.rows.js';
import { givenUpBy } from './given.up.steps.js';
import { withEnd } from './own.pause.js';
import { onlyRun, toJob } from './rows.to.views.js';
import { moveWaits } from './run.waits.js';
import { bearRun, cancel, carry, forget, hold, release } from './runs.js';
import type { JobRow, MemoryTables, RunRow } from './tables.js';

export type ResumePlan = Parameters<StorageAdapter['resumeJob']>[1];

export function deleteJob(tables: MemoryTables, now: EpochMs, job: JobRow): void {
  clear(tables, now, job, 'job deleted');
  forget(tables, job);
}

export function pauseJob(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  { reason, by, until }: PauseOrder,
): Job {
  const ended = job.kind === 'one-off' && onlyRun(job).verdict !== null;
  if (job.pause !== null) {
    if ((until ?? undefined) !== job.pause.until) {
      job.pause = withEnd(job.pause, until);
      touch(job, now);
    }
  } else if (!ended) {
    job.pause = withEnd({ reason, by, at: now }, until);
    holdCursor(tables, now, job, 'paused', reason ?? 'paused');
    // One that goes on is held when it comes back.
    for (const run of job.runs) if (run.verdict === null && !isTimedFlow(tables, run)) hold(tables, run);
    touch(job, now);
  }
  if (job.pause?.until !== undefined) {
    tables.timedPauses.add(job);
    tables.wake({ kind: 'change' });
  }
  return toJob(tables, job);
}

export function resumeJob(tables: MemoryTables, now: EpochMs, job: JobRow, plan: ResumePlan): Job {
  if (job.pause === null) return toJob(tables, job);
  if (job.kind === 'recurring') resumeCursor(tables, now, job, plan);
  job.pause = null;
  for (const run of job.runs) if (run.held) release(tables, run);
  touch(job, now);
  return toJob(tables, job);
}

function resumeCursor(tables: MemoryTables, now: EpochMs, job: JobRow, plan: ResumePlan): void {
  const { id, trigger, timeZone } = job.definition;
  const paused = job.openGap?.verdict === 'paused' ? job.openGap : null;
  const pausedFrom = paused && paused.from.getTime();
  const { createdAt } = job;
  const given = structuredClone({ id, trigger, timeZone, pausedFrom, createdAt });
  const { nextAt, gap, restarts, trigger: another } = plan(given, now);
  // An orphan that was paused later: its place is kept for the adoption.
  if (job.openGap !== paused) return;
  closeGap(tables, job, gap);
  job.pause = null;
  if (restarts) {
    job.firedUntil = null;
    for (const run of [...job.runs]) if (isBornAhead(run, now)) cancel(tables, now, run);
  }
  if (another !== undefined) job.definition = { ...job.definition, trigger: structuredClone(another) };
  setCursor(tables, job, nextAt);
  if (nextAt !== null) tables.wake({ kind: 'due', at: nextAt, what: 'cursor' });
}

/** It was born by a clock that was ahead, and has never begun. */
function isBornAhead({ origin, nominalAt, worker, attempt, verdict }: RunRow, now: EpochMs): boolean {
  const hasBegun = worker !== null || attempt > 0 || verdict !== null;
  return origin === 'schedule' && nominalAt > now && !hasBegun;
}

/** How many runs were concerned. */
export function cancelJob(tables: MemoryTables, now: EpochMs, job: JobRow): number {
  const unfinished = [...job.runs].filter((run) => run.verdict === null);
  for (const run of unfinished) cancel(tables, now, run);
  return unfinished.length;
}

export function cancelRun(
  tables: MemoryTables,
  now: EpochMs,
  runId: string,
): 'cancelled' | 'requested' | null {
  const run = tables.runs.get(runId);
  if (!run || run.verdict !== null) return null;
  const isGoingOn = run.worker !== null || runningSteps(tables, runId).length > 0;
  cancel(tables, now, run);
  return isGoingOn ? 'requested' : 'cancelled';
}

export function runNow(
  tables: MemoryTables,
  now: EpochMs,
  job: JobRow,
  givenUp: readonly string[],
  trace: string | undefined,
): RunRow {
  if (job.kind === 'recurring') {
    const run = bearRun(tables, job, { origin: 'manual', nominalAt: now, dueAt: now });
    carry(run, trace);
    release(tables, run);
    return run;
  }
  const run = onlyRun(job);
  if (run.worker !== null || run.open !== null) return run;
  const running = run.verdict === null ? [] : runningSteps(tables, run.id, givenUpBy(tables, now, givenUp));
  if (running.length > 0) throw stillRuns(run.id, run.verdict!, running);
  touch(job, now);
  job.pause = null;
  if (run.verdict === null) {
    run.dueAt = now;
    release(tables, run);
  } else {
    clear(tables, now, job, 'job replaced');
    begin(tables, now, job, now, 'retry');
    onlyRun(job).retryOf = run.id;
    if (run.trace !== undefined) onlyRun(job).trace = run.trace;
    moveWaits(tables, run, onlyRun(job));
  }
  carry(onlyRun(job), trace);
  return onlyRun(job);
}
