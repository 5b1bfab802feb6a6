import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 outcome · $3 from, $4 until in ms · $5 limit · $6 runs to pass over · $7 really
 *
 * Rows of one outcome in a stretch of the ledger; `found` counts also those that somebody has locked, or that are passed over.
 */
export function forgetOutcomeSql(t: TableNames): string {
  const stretch = `finished_at >= ${at('$3::float8')} and finished_at < ${at('$4::float8')} and outcome = $2`;
  return `
with found as (
  select from ${t.attempt} where ${stretch} limit $5
),
old as materialized (
  select tableoid, ctid, run_id as key from ${t.attempt} where ${stretch} and run_id <> all ($6::bigint[])
  order by finished_at limit $5
  for update skip locked
),
gone as (
  delete from ${t.attempt} a using old where $7::boolean and a.tableoid = old.tableoid and a.ctid = old.ctid returning a.run_id
)${forgotten('$7', '(select count(*) from found)::int as found, ')}`;
}
