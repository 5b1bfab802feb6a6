import type { TableNames } from './table.names.js';

/** Whether a one-off has no time yet, as it waits for the ends of others. Nothing else has never been claimed and has no time, not even one that a pause holds back. */
export function waitsForRuns(run: string): string {
  return `${run}.keyed and ${run}.due_at is null and ${run}.held_due_at is null and ${run}.fence = 0 and ${run}.verdict is null and ${run}.worker is null and ${run}.origin <> 'reserved'`;
}

/** The ids of the jobs that it waits for and that have not succeeded, in the order in which they were named; null: it waits for none. */
export function waitsForColumn(t: TableNames, run: string): string {
  return `case when ${waitsForRuns(run)} then (
    select json_agg(w.parent_id order by w.nth) from ${t.run_wait} w where w.child = ${run}.id and w.verdict is distinct from 'succeeded'
  ) end`;
}
