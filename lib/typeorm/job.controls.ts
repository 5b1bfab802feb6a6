import type { JobRef } from '../model/job.js';
import { stillRuns } from '../ports/retry.refusals.js';
import type { PauseOrder, StorageAdapter } from '../ports/storage.adapter.js';
import { queryRunningSteps } from './flow.retrying.js';
import { endsOtherwise, forgetPauseEnds } from './pause.ends.js';
import { closeGap, holdCursor, setCursor } from './job.cursor.js';
import { beginAnew, clear } from './job.redefinition.js';
import type { Change, Run } from './statement.runner.js';
import { addressOf, lockJob, type StoredRecurring } from './stored.job.js';
import { unblock } from './run.conclusion.js';
import { cancelRuns } from './run.endings.js';
import type { RunRow } from './run.rows.js';

export type ResumePlan = Parameters<StorageAdapter['resumeJob']>[1];

/** False: not found. */
export async function deleteJob({ run, readClock }: Change, ref: JobRef): Promise<boolean> {
  const job = await lockJob(run, ref);
  if (job === null) return false;
  await forgetPauseEnds(run, job);
  await clear(run, await readClock(), job, 'job deleted');
  return true;
}

/** False: not found. */
export async function pauseJob(
  { run, readClock }: Change,
  ref: JobRef,
  { reason, by, until = null }: PauseOrder,
): Promise<boolean> {
  const job = await lockJob(run, ref);
  if (job === null) return false;
  if (job.paused !== null) {
    if (endsOtherwise(job, until)) await run('setPauseEnds', ...addressOf(job), until, true);
    return true;
  }
  if (job.kind === 'one-off' && job.verdict !== null) return true;
  const now = await readClock();
  await run('setPause', ...addressOf(job), true, reason, by);
  if (job.kind === 'recurring') await holdCursor(run, now, job, 'paused', reason ?? 'paused');
  await run('holdRuns', ...addressOf(job));
  if (until !== null) await run('setPauseEnds', ...addressOf(job), until, false);
  return true;
}

/** False: not found. */
export async function resumeJob({ run, readClock }: Change, ref: JobRef, plan: ResumePlan): Promise<boolean> {
  const job = await lockJob(run, ref);
  if (job === null) return false;
  if (job.paused === null) return true;
  const now = await readClock();
  await forgetPauseEnds(run, job);
  await run('setPause', ...addressOf(job), false, null, null);
  if (job.kind === 'recurring') await resumeCursor(run, now, job, plan);
  await run('releaseRuns', ...addressOf(job));
  return true;
}

/** How many runs were concerned; null: not found. */
export async function cancelJob({ run, readClock }: Change, ref: JobRef): Promise<number | null> {
  const job = await lockJob(run, ref);
  if (job === null) return null;
  const runs = await run<{ id: string; running: boolean }>('lockRuns', ...addressOf(job));
  await readClock();
  await cancelRuns(run, runs);
  // What waited for one of these may have been born after they were listed.
  if (job.kind === 'recurring') await unblock(run, [job.uid]);
  return runs.length;
}

/** Null: no run without verdict has this id. */
export async function cancelRun(
  { run, readClock }: Change,
  runId: string,
): Promise<'cancelled' | 'requested' | null> {
  type Locked = { id: string; job_uid: string | null; running: boolean; is_flow: boolean };
  const [found] = await run<Locked>('lockRun', runId);
  if (!found) return null;
  await readClock();
  await cancelRuns(run, [found]);
  await unblock(run, [found.job_uid]);
  // A workflow goes on while a step of it is in somebody's hands.
  const goesOn = found.running || (found.is_flow && (await run('lockRun', runId)).length > 0);
  return goesOn ? 'requested' : 'cancelled';
}

/** The run that is due, or under way; null: not found. */
export async function runOneOffNow(
  { run, readClock }: Change,
  ref: JobRef,
  givenUp: readonly string[],
  trace: string | undefined,
): Promise<RunRow | null> {
  const job = await lockJob(run, ref);
  if (job?.kind !== 'one-off') return null;
  const now = await readClock();
  if (job.verdict !== null) {
    const running = await queryRunningSteps(run, job.runId, givenUp);
    if (running.length > 0) throw stillRuns(job.runId, job.verdict, running);
    await beginAnew(run, now, { ...job, paused: null }, job.definition, now, 'retry');
  } else if (!job.running) {
    await forgetPauseEnds(run, job);
    await run('runOneOffNow', job.runId);
  }
  const [row] = await run<RunRow>('readOneOffRun', ref.namespace, ref.id);
  const isGoingOn = row.state === 'running' || row.state === 'open';
  if (trace !== undefined && !isGoingOn) await run('carryTrace', row.id, trace);
  return row;
}

export async function resumeCursor(
  run: Run,
  now: number,
  job: StoredRecurring,
  plan: ResumePlan,
): Promise<void> {
  const { id, trigger, timeZone } = job.definition;
  const paused = job.openGap?.verdict === 'paused' ? job.openGap : null;
  const given = { id, trigger, timeZone, pausedFrom: paused && paused.from, createdAt: job.createdAt };
  const { nextAt, gap, restarts, trigger: another } = plan(given, now);
  // An orphan that was paused later: its place is kept for the adoption.
  if (job.openGap !== paused) return;
  await closeGap(run, job, gap);
  job.paused = null;
  if (restarts) {
    await run('forgetFired', job.uid);
    await cancelRuns(run, await run<{ id: string; running: boolean }>('lockBornAhead', job.uid, now));
    job.firedUntil = null;
    job.lastFiredUntil = null;
  }
  if (another !== undefined) {
    await run('setTrigger', job.uid, JSON.stringify(another));
    job.definition = { ...job.definition, trigger: another };
  }
  await setCursor(run, job, nextAt);
}
