import type { GapVerdict } from '../model/verdict.js';
import type { EpochMs, NewGap } from '../ports/storage.adapter.js';
import { afterDealt, owedInstants, passedOver, type Owed } from '../triggers/owed.js';
import { fixedDelayMs } from './fixed.delay.js';
import type { Run } from './statement.runner.js';
import type { StoredRecurring } from './stored.job.js';

/** Sets where a job stands. The place of a job that must not fire is kept in an open gap instead. */
export async function setCursor(run: Run, job: StoredRecurring, wanted: EpochMs | null): Promise<void> {
  const at = wanted === null ? null : afterFired(job, wanted);
  if (at !== null && job.orphanedAt === null && job.paused === null) {
    await run('putCursor', job.uid, at, fixedDelayMs(job.definition.trigger));
    return;
  }
  await run('removeCursor', job.uid);
  if (at === null) return;
  if (job.orphanedAt !== null) await openGap(run, job, at, 'missed', orphanReason(job));
  else await openGap(run, job, at, 'paused', pauseReason(job));
}

/** Puts on record as missed what a changed schedule, which is to go on at `at`, passes over since the one before has fired beyond it. */
export async function recordPassedOver(
  run: Run,
  now: EpochMs,
  { uid, definition, firedUntil }: StoredRecurring,
  at: EpochMs | null,
  reason: string,
): Promise<void> {
  const { namespace, id, trigger } = definition;
  const passed = passedOver(trigger, `${namespace}/${id}`, at, firedUntil, now);
  if (passed.length === 0) return;
  const unmet = await run<{ instant: EpochMs }>('unmetInstants', uid, passed);
  for (const { instant } of unmet) await run('addGap', uid, instant, instant, 'missed', 1, reason);
}

/** The cursor goes; an open gap keeps its place. A job that is held for another reason already has such a gap. */
export async function holdCursor(
  run: Run,
  now: EpochMs,
  job: StoredRecurring,
  verdict: GapVerdict,
  reason: string,
): Promise<void> {
  const [stood] = await run<{ next_at: EpochMs; fired_until: EpochMs | null }>('removeCursor', job.uid);
  if (!stood) return;
  job.firedUntil = stood.fired_until;
  // A cursor that waits for the end of a run has no place yet, but an orphan needs one to come back to.
  if (stood.next_at !== Infinity) await openGap(run, job, stood.next_at, verdict, reason);
  else if (job.orphanedAt !== null) await openGap(run, job, now, verdict, reason);
}

/** Puts the cursor of an orphan back to where it stood; a paused one goes on being paused from there. */
export async function restoreCursor(run: Run, job: StoredRecurring): Promise<void> {
  const gap = job.openGap;
  if (gap === null || gap.verdict !== 'missed') return;
  await closeGap(run, job, null);
  await setCursor(run, job, gap.from);
}

/** Ends the open gap: as `replacement` says, or, null, as if it had never been. */
export async function closeGap(run: Run, job: StoredRecurring, replacement: NewGap | null): Promise<void> {
  const isOpen = job.openGap !== null;
  job.openGap = null;
  if (replacement === null) return void (await run('closeGap', job.uid, null, null, null, null, null));
  const { from, until, verdict, count, reason } = replacement;
  if (isOpen) await run('closeGap', job.uid, until, count, from, verdict, reason);
  else await run('addGap', job.uid, from, until, verdict, count, reason);
}

/** Takes the cursor away before the job goes or gets another schedule: no due instant is without a verdict, so what it owes until then is missed, by the schedule of until now. */
export async function giveUpSchedule(
  run: Run,
  job: StoredRecurring,
  until: EpochMs,
  reason: string,
): Promise<void> {
  const [stood] = await run<{ next_at: EpochMs; fired_until: EpochMs | null }>('removeCursor', job.uid);
  if (stood) job.firedUntil = stood.fired_until;
  const owed = stood ? owedBy(job, stood.next_at, until) : null;
  if (owed !== null) await run('addGap', job.uid, owed.from, owed.until, 'missed', owed.count, reason);
  await endGap(run, job, until);
}

/** Ends the open gap, by the schedule of until now, before the job goes or gets another one. */
export async function endGap(run: Run, job: StoredRecurring, until: EpochMs): Promise<void> {
  if (job.openGap === null) return;
  const owed = owedBy(job, job.openGap.from, until);
  await run('closeGap', job.uid, owed?.until ?? null, owed?.count ?? null, null, null, null);
  job.openGap = null;
}

function owedBy({ definition, firedUntil }: StoredRecurring, at: EpochMs, until: EpochMs): Owed | null {
  const { namespace, id, trigger } = definition;
  return owedInstants(trigger, `${namespace}/${id}`, at, firedUntil, until);
}

function afterFired(
  { definition, firedUntil, lastFiredUntil }: StoredRecurring,
  at: EpochMs,
): EpochMs | null {
  const { namespace, id, trigger } = definition;
  return afterDealt(trigger, `${namespace}/${id}`, at, firedUntil ?? lastFiredUntil);
}

/** As gaps say it. */
export function orphanReason(job: StoredRecurring): string {
  return job.orphanedReason === 'superseded' ? 'superseded' : 'orphaned';
}

export function pauseReason(job: StoredRecurring): string {
  return job.paused?.reason ?? 'paused';
}

async function openGap(
  run: Run,
  job: StoredRecurring,
  from: EpochMs,
  verdict: GapVerdict,
  reason: string,
): Promise<void> {
  await run('openGap', job.uid, from, verdict, reason);
  job.openGap ??= { from, verdict };
}
