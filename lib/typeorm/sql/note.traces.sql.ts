import { unnest } from './arrays.fragment.js';
import type { TableNames } from './table.names.js';

/**
 * $1 time · $2 run ids · $3 fences · $4 traces · $5 worker
 *
 * Of attempts that may not be the last of their runs, just before they are settled: only who traces them sends it, so that the settlement itself has nothing of it. What somebody has locked is passed over: its next attempt
 * does without.
 */
export function noteTracesSql(t: TableNames): string {
  return `
with free as materialized (
  select r.id, u.trace from ${unnest(['$2::bigint[]', '$3::int[]', '$4::text[]'])} u (id, fence, trace)
    join ${t.run} r on r.id = u.id and r.fence = u.fence
  where r.worker = $5 and r.started_at is not null
  order by r.id for update of r skip locked
)
-- The time is a parameter of every statement, and one that none of it mentions is an error.
update ${t.run} r set last_trace = free.trace from free cross join (select $1::float8) time where r.id = free.id`;
}
