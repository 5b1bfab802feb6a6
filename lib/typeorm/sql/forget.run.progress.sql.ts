import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';

/** Of a row `g` of `run_progress`: its run is not stored any more. */
export function isOfNoRun(t: TableNames): string {
  return `not exists (select from ${t.run} r where r.id = g.run_id)`;
}

// $1 time · $2 limit · $3 runs to pass over · $4 really
export function forgetRunProgressSql(t: TableNames): string {
  return `
with old as materialized (
  select g.run_id as key from ${t.run_progress} g where ${isOfNoRun(t)} and g.run_id <> all ($3::bigint[])
  order by g.run_id limit $2 for update skip locked
),
gone as (
  delete from ${t.run_progress} where $4::boolean and run_id in (select key from old) returning run_id
)${forgotten('$4')}`;
}
