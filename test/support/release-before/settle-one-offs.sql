with said as (
  select u.* from unnest((select $2::bigint[]), (select $3::int[]), (select $4::float8[]), (select $5::float8[]), (select $6::text[]))
    u (id, fence, started_ms, finished_ms, result)
),
gone as (
  delete from "chronis"."run" r using said s
  where r.id = s.id and r.fence = s.fence and r.started_at is not null
    and r.job_uid is null and not r.blocks and (not r.keyed or coalesce(r.policies ->> 'keepMs', '0') in ('0', 'none'))
  returning r.id, r.namespace, r.job_id, coalesce(r.claimed_handler, r.handler) as handler, coalesce(r.claimed_queue, r.queue) as queue,
    r.origin, r.nominal_at, r.attempt, r.fence, r.worker, s.started_ms, s.finished_ms, s.result, r.retry_of, coalesce(r.policies ->> 'keepMs', '0') as keep
),
ledger as (
  insert into "chronis"."attempt" (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, outcome, final, started_at, finished_at, result, retry_of)
  select id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, 'succeeded', true, to_timestamp(started_ms / 1000), to_timestamp(finished_ms / 1000), result::json, retry_of
  from gone where keep <> 'none'
)
-- The time is a parameter of every statement, and one that none of it mentions is an error.
select settled, case when settled < cardinality($2::bigint[]) then to_json(ids::text[]) end as ids
from (select count(*)::int as settled, array_agg(id) as ids from gone) answer cross join (select $1::float8) time
