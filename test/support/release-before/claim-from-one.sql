with 
reach as materialized (
  select array(
    select u.name from unnest($3::text[]) u (name)
    where not exists (select from "chronis"."pause" p where p.kind = 'all' or (p.kind = 'queue' and p.name = u.name))
  ) as queues, array(
    select u.name from unnest($4::text[]) u (name)
    where not exists (select from "chronis"."pause" p where p.kind = 'all' or (p.kind = 'handler' and p.name = u.name))
  ) as handlers,
    array(select p.name from "chronis"."pause" p where p.kind = 'namespace') as closed
),
alive as (
  select from "chronis"."worker" where id = $2 and lease_until > coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) and released_at is null
),
picked as materialized (
  select found.ctid, found.id
  from (select rank from alive, generate_series(0, 9) rank order by rank) p cross join unnest((select queues from reach)::text[]) q (queue) cross join lateral (
    select r.ctid, r.id, r.due_at from "chronis"."run" r
    where r.queue = q.queue and greatest(r.priority - r.lifted, 0) = p.rank and r.worker is null and r.due_at is not null and r.parked_by is null
      and r.due_at <= coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) + $6::float8 * interval '1 millisecond' and case when r.handler = any ((select handlers from reach)::text[]) and r.namespace <> all ((select closed from reach)::text[]) then true else false end
    order by r.due_at limit $5 for update skip locked) found
  limit $5
)
update "chronis"."run" r
set worker = $2, fence = r.fence + 1, attempt = r.attempt + 1, started_at = greatest(r.due_at, coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())))
where r.ctid = any (array(select ctid from picked))
returning case when r.id = (select id from picked limit 1) then coalesce($1::float8, date_part('epoch', clock_timestamp()) * 1000) end as now, 
  r.id, nullif(r.fence, 1) as fence, nullif(r.attempt, 1) as attempt, nullif(r.lost_count, 0) as lost_count, nullif(r.missed, 0) as missed, nullif(r.origin, 'at') as origin, nullif(r.namespace, 'default') as namespace, nullif(r.queue, 'default') as queue, nullif(r.priority, 5) as priority, nullif(r.time_zone, 'UTC') as time_zone, nullif(greatest(r.priority - r.lifted, 0), r.priority) as rank, r.job_uid, r.job_id, r.handler,
  round(date_part('epoch', r.due_at) * 1000) as due_at, round(date_part('epoch', nullif(r.nominal_at, r.due_at)) * 1000) as nominal_at,
  r.name, r.payload, r.metadata, r.policies,
  case when r.job_uid is not null
    then (select json_build_object('name', coalesce(r.name, j.name), 'time_zone', coalesce(r.time_zone, j.time_zone), 'payload', coalesce(r.payload, j.payload), 'metadata', coalesce(r.metadata, j.metadata), 'policies', coalesce(r.policies, j.policies)) from "chronis"."job" j where j.uid = r.job_uid)
  end as of_job
