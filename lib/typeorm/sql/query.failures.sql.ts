import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 limit · $3 how many failures are counted · the rest as `where` says, and, of a group `g`, `isMeant`.
 *
 * The newest failures are found by the index that has nothing else, day by day; their texts are read of the groups that come out only.
 */
export function queryFailuresSql(t: TableNames, where: string, isMeant: string): string {
  return `
with newest as materialized (
  select v.error_fingerprint, v.handler, v.run_id, v.fence, v.final, v.finished_at
  from ${t.attempt} v
  where v.error_fingerprint is not null and ${where}
  order by v.finished_at desc limit $3::bigint
),
kind as (
  select error_fingerprint, handler, count(*)::int as attempts, count(distinct run_id)::int as runs,
    (count(*) filter (where final))::int as gave_up, min(finished_at) as first_at, max(finished_at) as last_at,
    (array_agg(run_id order by finished_at desc, run_id desc, fence desc))[1] as run_id,
    (array_agg(fence order by finished_at desc, run_id desc, fence desc))[1] as fence
  from newest group by error_fingerprint, handler
),
shown as (
  select g.* from kind g where ${isMeant} order by g.last_at desc, g.run_id desc, g.error_fingerprint limit $2::bigint
)
select g.error_fingerprint, g.handler, g.attempts, g.runs, g.gave_up, ${ms('g.first_at')} as first_at, ${ms('g.last_at')} as last_at,
  g.run_id::text, s.job_id, s.namespace, s.queue, s.attempt, s.outcome, s.error,
  (select case when count(*) = $3::bigint then ${ms('min(finished_at)')} end from newest) as counted_from, ${ms(now)} as now
from shown g cross join lateral (
  select a.* from ${t.attempt} a
  where a.run_id = g.run_id and a.finished_at = g.last_at and a.fence = g.fence and a.error_fingerprint = g.error_fingerprint
  order by a.final desc limit 1
) s
order by g.last_at desc, g.run_id desc, g.error_fingerprint`;
}
