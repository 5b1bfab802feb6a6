import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

// $1 time · $2 horizon in ms · $3 limit · $4 runs to pass over · $5 really
export function forgetRunLogsSql(t: TableNames): string {
  return `
with old as materialized (
  select run_id as key, fence, part from ${t.run_log} where at < ${at('$2::float8')} and run_id <> all ($4::bigint[])
  order by at limit $3 for update skip locked
),
gone as (
  delete from ${t.run_log} l using old where $5::boolean and l.run_id = old.key and l.fence = old.fence and l.part = old.part returning l.run_id
)${forgotten('$5')}`;
}
