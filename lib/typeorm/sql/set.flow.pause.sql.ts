import type { TableNames } from './table.names.js';
import { moment, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 flows, locked with those that they are steps of · $3 whether they are paused · $4 whether what they are steps of does not matter; else they only follow it: it may have been paused, or resumed, again meanwhile
 *
 * Those that are over, or ending, or do not follow, do not come out.
 */
export function setFlowPauseSql(t: TableNames): string {
  return `
update ${t.flow} f set paused_at = case when $3::boolean then coalesce(f.paused_at, ${moment}) end where f.id = any ($2::bigint[]) and f.verdict is null and f.ending_at is null
  and ($4::boolean or exists (select from ${t.flow} p where p.id = f.parent and (p.paused_at is not null) = $3::boolean))
returning f.id::text, ${ms(now)} as now`;
}

// $1 time · $2 flows. Those that are steps of them, and neither over nor ending.
export function flowsWithinSql(t: TableNames): string {
  return `
select f.id::text, ${ms(now)} as now
from unnest($2::bigint[]) u (id) cross join lateral (select f.id from ${t.flow} f where f.parent = u.id and f.verdict is null and f.ending_at is null offset 0) f order by f.id`;
}
