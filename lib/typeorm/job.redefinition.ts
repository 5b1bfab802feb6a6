import type { JobDefinition } from '../model/job.js';
import type { RunOrigin } from '../model/run.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { owedUntil } from '../triggers/owed.js';
import { fixedDelayMs } from './fixed.delay.js';
import { giveUpSchedule, recordPassedOver, setCursor } from './job.cursor.js';
import { bearOneOff, bearRecurring, statisticsOf } from './job.rebirth.js';
import { definitionValues, isOneOff } from './job.rows.js';
import { forgetPauseEnds } from './pause.ends.js';
import { conclude, tellGone, type EndedRow } from './run.conclusion.js';
import type { Run } from './statement.runner.js';
import { addressOf, type StoredJob, type StoredOneOff, type StoredRecurring } from './stored.job.js';

/** The reason of gaps. */
const rescheduled = 'schedule changed';

/** Gives a job another definition and, where `nextAt` is given, another time: what it owes until then is missed. What is not claimed yet uses it at once. */
export async function redefine(
  run: Run,
  now: EpochMs,
  job: StoredJob,
  given: JobDefinition,
  nextAt: EpochMs | null | undefined,
  owes: EpochMs = owedUntil(now, nextAt ?? null),
): Promise<void> {
  const kind = isOneOff(job.source, given.trigger) ? 'one-off' : 'recurring';
  const newTime = job.kind === 'one-off' && nextAt !== undefined && (job.running || job.verdict !== null);
  if (kind !== job.kind || newTime) return beginAnew(run, now, job, given, nextAt ?? null, 'at');
  if (job.kind === 'one-off') return redefineOneOff(run, job, given, nextAt ?? null);
  return redefineRecurring(run, now, job, given, nextAt, owes);
}

/** Lets go of all runs that a job has, and has it start over, with its history. */
export async function beginAnew(
  run: Run,
  now: EpochMs,
  job: StoredJob,
  given: JobDefinition,
  nextAt: EpochMs | null,
  origin: RunOrigin,
): Promise<void> {
  const statistics = await statisticsOf(run, job);
  await clear(run, now, job, 'job replaced');
  const reborn = { ...job, definition: given, revision: job.revision + 1 };
  if (isOneOff(job.source, given.trigger)) {
    // A one-off without a time is due.
    const id = await bearOneOff(run, reborn, statistics, nextAt ?? now, origin);
    // What waits for one that is over waits for the one in its place.
    if (job.kind === 'one-off' && job.verdict !== null) await run('moveWaits', job.runId, id);
  } else {
    await setCursor(run, await bearRecurring(run, reborn, statistics), nextAt);
  }
}

/** Removes a job: ends what waits, lets go of what is running, whose attempt is its last. What is open goes on where the job does. */
export async function clear(
  run: Run,
  now: EpochMs,
  job: StoredJob,
  reason: 'job replaced' | 'job deleted',
): Promise<void> {
  if (job.kind === 'recurring') await giveUpSchedule(run, job, now, reason);
  const runs = await run<{ id: string; running: boolean; open: boolean }>('lockRuns', ...addressOf(job));
  const goesOn = ({ running, open }: (typeof runs)[number]): boolean =>
    running || (open && reason === 'job replaced');
  const waiting = runs.filter((one) => !goesOn(one)).map(({ id }) => id);
  const going = runs.filter(goesOn).map(({ id }) => id);
  // A one-off's id is free again before its run ends, so that the run is not kept.
  if (job.kind === 'one-off') await run('detachRuns', [...waiting, ...going]);
  if (waiting.length > 0) await conclude(run, await run<EndedRow>('endWaiting', waiting));
  if (job.kind === 'recurring') {
    // Also workflows that are ending.
    if (runs.length > 0) await run('detachRuns', [...waiting, ...going]);
    await run('deleteJob', [job.uid]);
  } else if (job.verdict !== null) {
    const gone = await run<{ id: string; awaited: boolean }>('dropRuns', [job.runId]);
    if (reason === 'job deleted') await tellGone(run, gone);
  }
}

async function redefineOneOff(
  run: Run,
  job: StoredOneOff,
  given: JobDefinition,
  nextAt: EpochMs | null,
): Promise<void> {
  const values = definitionValues(given, job.definition);
  await run('updateOneOff', job.runId, ...values, job.definitionHash, job.app, nextAt);
}

async function redefineRecurring(
  run: Run,
  now: EpochMs,
  job: StoredRecurring,
  given: JobDefinition,
  nextAt: EpochMs | null | undefined,
  owes: EpochMs,
): Promise<void> {
  if (nextAt !== undefined) await giveUpSchedule(run, job, owes, rescheduled);
  const { namespace, id } = given;
  const isRenamed = namespace !== job.definition.namespace || id !== job.definition.id;
  const until = job.paused?.until ?? null;
  if (isRenamed) await forgetPauseEnds(run, job);
  const changes = job.changes && JSON.stringify(job.changes);
  const facts = [job.definitionHash, job.generation, job.app, changes];
  const values = [...definitionValues(given, job.definition), ...facts];
  await run('updateJob', job.uid, namespace, id, ...values, nextAt !== undefined);
  job.definition = given;
  if (isRenamed && until !== null) await run('setPauseEnds', ...addressOf(job), until, false);
  if (nextAt === undefined) await run('updateCursor', job.uid, fixedDelayMs(given.trigger));
  await run('updateRuns', job.uid);
  if (nextAt === undefined) return;
  await recordPassedOver(run, now, job, nextAt, rescheduled);
  await setCursor(run, job, nextAt);
}
