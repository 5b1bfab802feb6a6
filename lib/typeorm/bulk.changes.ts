import type { JobRef } from '../model/job.js';
import type { BulkChange, BulkOutcome } from '../ports/bulk.change.js';
import type { PauseOrder } from '../ports/storage.adapter.js';
import { giveUpSchedule, holdCursor } from './job.cursor.js';
import { resumeCursor } from './job.controls.js';
import { endsOtherwise, forgetPauseEnds } from './pause.ends.js';
import { keyOf } from './job.queries.js';
import { conclude, tellGone, unblock, type EndedRow } from './run.conclusion.js';
import { cancelRuns } from './run.endings.js';
import type { Change, Run } from './statement.runner.js';
import { addressOf, lockJobs, type StoredJob, type StoredRecurring } from './stored.job.js';

interface LockedRun {
  id: string;
  running: boolean;
}

/** The same steps as for one job, but each statement for all of them, where it does not depend on the single cursor. */
export async function changeJobs(
  { run, readClock }: Change,
  refs: readonly JobRef[],
  change: BulkChange,
): Promise<BulkOutcome[]> {
  if (refs.length === 0) return [];
  const jobs = await lockJobs(run, refs, false);
  const there = jobs.filter((job) => job !== null);
  const changed = new Set(await apply(run, await readClock(), there, change, readClock));
  return jobs.map((job) => (job === null ? 'not-found' : changed.has(job) ? 'changed' : 'unchanged'));
}

/** Those that were changed. */
function apply(
  run: Run,
  now: number,
  jobs: StoredJob[],
  change: BulkChange,
  readClock: () => Promise<number>,
): Promise<StoredJob[]> {
  switch (change.kind) {
    case 'pause':
      return pauseJobs(run, now, jobs, change.pause);
    case 'resume':
      return resumeJobs(run, now, jobs, change.plan);
    case 'cancel':
      return cancelJobs(run, jobs, readClock);
    case 'delete':
      return deleteJobs(run, now, jobs);
  }
}

async function pauseJobs(
  run: Run,
  now: number,
  jobs: StoredJob[],
  { reason, by, until = null }: PauseOrder,
): Promise<StoredJob[]> {
  const going = jobs.filter(
    (job) => job.paused === null && (job.kind === 'recurring' || job.verdict === null),
  );
  const other = jobs.filter((job) => job.paused !== null && endsOtherwise(job, until));
  if (other.length > 0) await run('setPauseEnds', ...addressOf(...other), until, true);
  if (going.length === 0) return other;
  await run('setPause', ...addressOf(...going), true, reason, by);
  for (const job of recurringOf(going)) await holdCursor(run, now, job, 'paused', reason ?? 'paused');
  await run('holdRuns', ...addressOf(...going));
  if (until !== null) await run('setPauseEnds', ...addressOf(...going), until, false);
  return [...going, ...other];
}

/** Of `jobs` those that are paused. */
export async function resumeJobs(
  run: Run,
  now: number,
  jobs: StoredJob[],
  plan: Extract<BulkChange, { kind: 'resume' }>['plan'],
): Promise<StoredJob[]> {
  const paused = jobs.filter((job) => job.paused !== null);
  if (paused.length === 0) return [];
  await forgetPauseEnds(run, ...paused);
  await run('setPause', ...addressOf(...paused), false, null, null);
  for (const job of recurringOf(paused)) await resumeCursor(run, now, job, plan(job.definition));
  await run('releaseRuns', ...addressOf(...paused));
  return paused;
}

async function cancelJobs(
  run: Run,
  jobs: StoredJob[],
  readClock: () => Promise<number>,
): Promise<StoredJob[]> {
  const locked = await run<LockedRun & { namespace: string; job_id: string }>(
    'lockRuns',
    ...addressOf(...jobs),
  );
  await readClock();
  await cancelRuns(run, locked);
  // What waited for one of these may have been born after they were listed.
  await unblock(
    run,
    recurringOf(jobs).map(({ uid }) => uid),
  );
  const concerned = new Set(locked.map(({ namespace, job_id: id }) => keyOf({ namespace, id })));
  return jobs.filter(({ definition }) => concerned.has(keyOf(definition)));
}

/** As `clear` does it for one. */
async function deleteJobs(run: Run, now: number, jobs: StoredJob[]): Promise<StoredJob[]> {
  const recurring = recurringOf(jobs);
  await forgetPauseEnds(run, ...jobs);
  for (const job of recurring) await giveUpSchedule(run, job, now, 'job deleted');
  const oneOffs = jobs.filter((job) => job.kind === 'one-off');
  await endRuns(run, oneOffs, true);
  await endRuns(run, recurring, false);
  const ended = oneOffs.filter(({ verdict }) => verdict !== null);
  if (ended.length > 0) await tellGone(run, await run('dropRuns', addressOf(...ended)[1]));
  if (recurring.length > 0) await run('deleteJob', addressOf(...recurring)[0]);
  return jobs;
}

/** A one-off's id is free again before its run ends, so that the run is not kept. */
async function endRuns(run: Run, jobs: StoredJob[], freesIds: boolean): Promise<void> {
  const locked = jobs.length === 0 ? [] : await run<LockedRun>('lockRuns', ...addressOf(...jobs));
  const ids = (running: boolean): string[] =>
    locked.filter((one) => one.running === running).map(({ id }) => id);
  const [waiting, going] = [ids(false), ids(true)];
  if (freesIds && locked.length > 0) await run('detachRuns', [...waiting, ...going]);
  if (waiting.length > 0) await conclude(run, await run<EndedRow>('endWaiting', waiting));
  // Also workflows that are ending.
  if (!freesIds && locked.length > 0) await run('detachRuns', [...waiting, ...going]);
}

function recurringOf(jobs: readonly StoredJob[]): StoredRecurring[] {
  return jobs.filter((job) => job.kind === 'recurring');
}
