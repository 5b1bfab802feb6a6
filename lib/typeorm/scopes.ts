import type { ScopeRef } from '../model/pause.js';
import type { Trigger } from '../model/trigger.js';
import type { EpochMs, NewGap, PauseOrder, ScopeResumption, StoredPause } from '../ports/storage.adapter.js';
import { pause } from './deadline.js';
import { toPause } from './job.rows.js';
import type { Change, Run } from './statement.runner.js';

export interface PauseRow extends ScopeRef {
  paused_at: EpochMs;
  paused_reason: string | null;
  paused_by: string | null;
  until_at: EpochMs | null;
}

interface StoppedRow {
  job_uid: string;
  id: string;
  namespace: string;
  trigger: Trigger;
  time_zone: string;
  next_at: EpochMs;
}

const cursorsPerStep = 500;

export async function pauseScope(
  run: Run,
  { kind, name }: ScopeRef,
  { reason, by, until = null }: PauseOrder,
): Promise<StoredPause> {
  const [row] = await run<PauseRow>('pauseScope', kind, name, reason, by, until);
  return toStoredPause(row);
}

const pollMs = 5;

/** Resolves when no claim and no firing is under way any more that was when it was called, or, as somebody may hold one up, when the time is over. */
export async function untilClaimsEnd(run: Run, patienceMs: number): Promise<void> {
  const underWay = async (among: string[] | null): Promise<string[]> =>
    (await run<{ id: string }>('claimsUnderWay', among)).map(({ id }) => id);
  let left = await underWay(null);
  for (let waitedMs = 0; left.length > 0 && waitedMs < patienceMs; waitedMs += pollMs) {
    await pause(pollMs);
    left = await underWay(left);
  }
}

/** False: it is not paused. Everything in the transaction of `change`, so that nobody fires a cursor before it is moved. */
export async function resumeScope(
  { run, readClock }: Change,
  { kind, name }: ScopeRef,
  plan: ScopeResumption,
): Promise<boolean> {
  if ((await run('lockPause', kind, name)).length === 0) return false;
  const now = await readClock();
  let after = '0';
  for (let rows: StoppedRow[]; ; after = rows.at(-1)!.job_uid) {
    rows = await run<StoppedRow>('stoppedCursors', kind, name, after, cursorsPerStep);
    if (rows.length > 0) await move(run, rows, plan, now);
    if (rows.length < cursorsPerStep) break;
  }
  await run('endPause', kind, name);
  return true;
}

export async function queryPauses(run: Run): Promise<StoredPause[]> {
  return (await run<PauseRow>('queryPauses')).map(toStoredPause);
}

async function move(
  run: Run,
  rows: readonly StoppedRow[],
  plan: ScopeResumption,
  now: EpochMs,
): Promise<void> {
  const planned = rows.map(({ job_uid, id, namespace, trigger, time_zone, next_at }) => ({
    job_uid,
    ...plan({ id, namespace, trigger, timeZone: time_zone, pausedFrom: next_at }, now),
  }));
  const gaps = planned.flatMap(({ job_uid, gap }) => (gap === null ? [] : [{ job_uid, ...gap }]));
  const column = <K extends keyof NewGap>(key: K): NewGap[K][] => gaps.map((gap) => gap[key]);
  await run(
    'moveCursors',
    ...[planned.map(({ job_uid }) => job_uid), planned.map(({ nextAt }) => nextAt)],
    ...[gaps.map(({ job_uid }) => job_uid), column('from'), column('until'), column('verdict')],
    ...[column('count'), column('reason')],
  );
}

function toStoredPause({ kind, name, until_at, ...row }: PauseRow): StoredPause {
  return { kind, name, ...toPause({ ...row, paused_until: until_at }) };
}
