import { unnest } from './arrays.fragment.js';
import { withLockTimeout } from './lock.timeout.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 run ids · $3 fences · $4 started · $5 finished · $6 results · $7 worker · $8 how long to wait for a lock, in ms as text
 *
 * For runs of recurring jobs that have succeeded: each goes, leaves a row in the ledger, and counts. It settles those of them that nothing else depends on,
 * no other run and no fixed delay, whatever it is told: the rest is left for `settleSql`.
 *
 * The ids are to come in order, so that rows are locked as everywhere; of the same one twice the first counts. It answers how many it has settled, and which, unless these are all.
 * It fails with 55P03 when it has to wait for a lock: `settleSql` passes over what is locked.
 */
export function settleRecurringSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.run} r
  using ${unnest([withLockTimeout('$2::bigint[]', '$8'), '$3::int[]', '$4::float8[]', '$5::float8[]', '$6::text[]'])}
    s (id, fence, started_ms, finished_ms, result)
  where r.id = s.id and r.fence = s.fence and r.worker = $7 and r.started_at is not null and not r.blocks and r.flow is null
    -- In a CASE: the planner would rather find runs by their job than by their id.
    and case when r.job_uid is not null then not coalesce((select c.delay_ms is not null from ${t.cursor} c where c.job_uid = r.job_uid), false) else false end
  returning r.id, r.job_uid, r.namespace, r.job_id, coalesce(r.claimed_handler, r.handler) as handler, coalesce(r.claimed_queue, r.queue) as queue,
    r.origin, r.nominal_at, r.attempt, r.fence, r.worker, ${at('s.started_ms')} as started_at, s.finished_ms, s.result, r.retry_of
),
ledger as (
  insert into ${t.attempt} (run_id, job_uid, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, outcome, final, started_at, finished_at, result, retry_of)
  select id, job_uid, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, 'succeeded', true, started_at, ${at('finished_ms')}, result::json, retry_of
  from gone
),
counted as (
  update ${t.job_stat} s
  set run_count = s.run_count + n.runs, consecutive_failures = 0, last_run_at = n.last_run_at, last_verdict = 'succeeded'
  from (
    select job_uid, count(*) as runs, max(started_at) as last_run_at from gone group by job_uid order by job_uid
  ) n where s.job_uid = n.job_uid
)
-- The time is a parameter of every statement, and one that none of it mentions is an error.
select settled, case when settled < cardinality($2::bigint[]) then to_json(ids::text[]) end as ids
from (select count(*)::int as settled, array_agg(id) as ids from gone) answer cross join (select $1::float8) time`;
}
