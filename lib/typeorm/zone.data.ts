import type { Trigger } from '../model/trigger.js';
import type { CursorPlan, EpochMs, Recomputation } from '../ports/storage.adapter.js';
import type { Change, StatementScope } from './statement.runner.js';

interface StandingRow {
  job_uid: string;
  id: string;
  namespace: string;
  trigger: Trigger;
  time_zone: string;
  /** Null: somebody else has locked it. */
  next_at: EpochMs | null;
  since: EpochMs;
}

const cursorsPerStep = 500;

/**
 * Moves the cursors that newer zone data put elsewhere, a portion at a time; see the port. It waits for nobody: where a cursor is locked the version is not noted, so that the next start
 * comes back to it, and until then the schedule goes on from there by the data of whoever fires it.
 */
export async function recomputeCursors(
  scope: StatementScope,
  zoneData: string,
  plan: CursorPlan,
): Promise<Recomputation> {
  const { run } = scope;
  const nothing: Recomputation = { from: null, moved: [] };
  const [noted] = await run<{ value: string }>('readZoneData');
  if (!noted) await run('noteZoneData', zoneData);
  if (!noted || noted.value >= zoneData) return nothing;
  const moved: Recomputation['moved'] = [];
  let isComplete = true;
  for (let after: string | null = '0'; after !== null;) {
    const from: string = after;
    const portion = await scope.change((locked) => movePortion(locked, zoneData, plan, from, isComplete));
    // Somebody else is at it, or has done it meanwhile.
    if (portion === null) {
      isComplete = false;
      break;
    }
    moved.push(...portion.moved);
    isComplete = portion.isComplete;
    after = portion.last;
  }
  return moved.length > 0 || isComplete ? { from: noted.value, moved } : nothing;
}

interface Portion extends Pick<Recomputation, 'moved'> {
  /** Up to which job; null: this was the last portion. */
  last: string | null;
  /** Nothing was locked up to here. */
  isComplete: boolean;
}

async function movePortion(
  { run }: Change,
  zoneData: string,
  plan: CursorPlan,
  after: string,
  wasComplete: boolean,
): Promise<Portion | null> {
  const [noted] = await run<{ value: string }>('lockZoneData');
  if (!noted || noted.value >= zoneData) return null;
  const rows = await run<StandingRow>('standingCursors', after, cursorsPerStep);
  const planned = rows.flatMap(({ job_uid, next_at, since, time_zone, id, namespace, trigger }) => {
    if (next_at === null) return [];
    const to = plan({ id, namespace, trigger, timeZone: time_zone, nextAt: next_at, since });
    return to === next_at ? [] : { job_uid, namespace, id, from: next_at, to };
  });
  if (planned.length > 0) {
    const column = [planned.map(({ job_uid }) => job_uid), planned.map(({ to }) => to)];
    await run('moveCursors', ...column, [], [], [], [], [], []);
  }
  const isComplete = wasComplete && rows.every(({ next_at }) => next_at !== null);
  const last = rows.length < cursorsPerStep ? null : rows.at(-1)!.job_uid;
  if (last === null && isComplete) await run('setZoneData', zoneData);
  const moved = planned.map(({ namespace, id, from, to }) => ({ namespace, id, from, to }));
  return { moved, last, isComplete };
}
