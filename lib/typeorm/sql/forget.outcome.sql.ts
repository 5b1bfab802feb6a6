import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 outcome · $3 from, $4 until in ms · $5 limit. Rows of one outcome in a stretch of the ledger; `found` counts also those that somebody has locked.
export function forgetOutcomeSql(t: TableNames): string {
  const stretch = `finished_at >= ${at('$3::float8')} and finished_at < ${at('$4::float8')} and outcome = $2`;
  return `
with found as (
  select from ${t.attempt} where ${stretch} limit $5
),
old as (
  select tableoid, ctid from ${t.attempt} where ${stretch}
  order by finished_at limit $5
  for update skip locked
),
gone as (
  delete from ${t.attempt} a using old where a.tableoid = old.tableoid and a.ctid = old.ctid returning a.run_id
)
select count(*)::int as count, (select count(*) from found)::int as found, ${ms(now)} as now from gone`;
}
