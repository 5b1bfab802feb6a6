import type { Trigger } from '../model/trigger.js';
import type { CursorPlan, EpochMs, Recomputation } from '../ports/storage.adapter.js';
import type { Change } from './statement.runner.js';

interface StandingRow {
  job_uid: string;
  id: string;
  namespace: string;
  trigger: Trigger;
  time_zone: string;
  next_at: EpochMs;
  since: EpochMs;
}

const cursorsPerStep = 500;

/** Moves the cursors that newer zone data put elsewhere, in the transaction of `change`; see the port. */
export async function recomputeCursors(
  { run }: Change,
  zoneData: string,
  plan: CursorPlan,
): Promise<Recomputation> {
  await run('noteZoneData', zoneData);
  const [{ value: from }] = await run<{ value: string }>('lockZoneData');
  const moved: Recomputation['moved'] = [];
  if (from >= zoneData) return { from: null, moved };
  let after = '0';
  for (let rows: StandingRow[]; ; after = rows.at(-1)!.job_uid) {
    rows = await run<StandingRow>('standingCursors', after, cursorsPerStep);
    const planned = rows
      .map(({ job_uid, next_at, since, time_zone, id, namespace, trigger }) => {
        const to = plan({ id, namespace, trigger, timeZone: time_zone, nextAt: next_at, since });
        return { job_uid, namespace, id, from: next_at, to };
      })
      .filter((cursor) => cursor.from !== cursor.to);
    if (planned.length > 0) {
      const column = [planned.map(({ job_uid }) => job_uid), planned.map(({ to }) => to)];
      await run('moveCursors', ...column, [], [], [], [], [], []);
    }
    moved.push(...planned.map(({ namespace, id, from: old, to }) => ({ namespace, id, from: old, to })));
    if (rows.length < cursorsPerStep) break;
  }
  await run('setZoneData', zoneData);
  return { from, moved };
}
