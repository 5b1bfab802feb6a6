with 
reach as materialized (
  select array(
    select u.name from unnest($2::text[]) u (name)
    where not exists (select from "chronis"."pause" p where p.kind = 'all' or (p.kind = 'queue' and p.name = u.name))
  ) as queues, array(
    select u.name from unnest($3::text[]) u (name)
    where not exists (select from "chronis"."pause" p where p.kind = 'all' or (p.kind = 'handler' and p.name = u.name))
  ) as handlers,
    array(select p.name from "chronis"."pause" p where p.kind = 'namespace') as closed
),
due as (
  select found.* from unnest((select handlers from reach)::text[]) h (handler) cross join lateral (
    select c.job_uid, c.next_at, c.revision, c.fired from "chronis"."cursor" c
    where c.handler = h.handler and c.next_at <= coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) + $5::float8 * interval '1 millisecond' and case when c.queue = any ((select queues from reach)::text[]) and c.namespace <> all ((select closed from reach)::text[]) then true else false end
    order by c.next_at limit $4
  ) found
  order by found.next_at, found.job_uid limit $4
)
select (extract(epoch from coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))) * 1000)::float8 as now, due_cursor.*
from (select) always left join (
  select d.job_uid::text, j.id as job_id, j.namespace, j.handler, (extract(epoch from d.next_at) * 1000)::float8 as nominal_at,
    d.revision, d.fired, j.trigger, j.time_zone, j.policies
  from due d cross join lateral (select found.* from "chronis"."job" found where found.uid = d.job_uid limit 1) j
) due_cursor on true
order by due_cursor.nominal_at, due_cursor.job_uid::bigint
