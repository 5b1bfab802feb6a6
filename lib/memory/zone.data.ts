import type { CursorPlan, EpochMs, Recomputation } from '../ports/storage.adapter.js';
import { setCursor } from './cursors.js';
import { keyOf, type MemoryTables } from './tables.js';

/** Moves the cursors that newer zone data put elsewhere; see the port. */
export function recomputeCursors(tables: MemoryTables, zoneData: string, plan: CursorPlan): Recomputation {
  const from = tables.zoneData;
  if (from === null || from < zoneData) tables.zoneData = zoneData;
  if (from === null || from >= zoneData) return { from: null, moved: [] };
  const last = lastInstants(tables);
  const standing = [...tables.jobs.values()].filter(
    ({ cursorAt }) => cursorAt !== null && cursorAt !== Infinity,
  );
  const planned = standing.map((job) => {
    const { id, namespace, trigger, timeZone } = job.definition;
    const nextAt = job.cursorAt!;
    const known = Math.max(
      job.updatedAt,
      job.firedUntil ?? -Infinity,
      last.get(keyOf(job.definition)) ?? -Infinity,
    );
    const since = Math.min(known, nextAt - 1);
    return {
      job,
      from: nextAt,
      to: plan(structuredClone({ id, namespace, trigger, timeZone, nextAt, since })),
    };
  });
  const moved = planned.filter(({ from: old, to }) => old !== to);
  for (const { job, to } of moved) setCursor(tables, job, to);
  if (moved.length > 0) tables.wake({ kind: 'change' });
  return {
    from,
    moved: moved.map(({ job: { definition }, ...times }) => ({
      namespace: definition.namespace,
      id: definition.id,
      ...times,
    })),
  };
}

/** The latest instant of each job that was dealt with: as a run, in the ledger, or in a gap. */
function lastInstants(tables: MemoryTables): Map<string, EpochMs> {
  const last = new Map<string, EpochMs>();
  const note = (key: string, at: EpochMs): void =>
    void last.set(key, Math.max(last.get(key) ?? -Infinity, at));
  for (const { job, nominalAt } of tables.runs.values()) note(keyOf(job.definition), nominalAt);
  for (const { namespace, jobId, nominalAt } of tables.ledger)
    note(keyOf({ namespace, id: jobId }), nominalAt.getTime());
  for (const { namespace, jobId, from, until } of tables.gaps) {
    note(keyOf({ namespace, id: jobId }), (until ?? from).getTime());
  }
  return last;
}
