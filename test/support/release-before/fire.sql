with firing as (
  select u.* from unnest((select $7::bigint[]), (select $8::float8[]), (select $9::int[]), (select $10::float8[]), (select $11::float8[]), (select $12::int[]), (select $13::text[]))
    u (job_uid, nominal_ms, revision, next_ms, until_ms, fired, overlap)
),
moved as materialized (
  select f.*, stands.fired_until from firing f cross join lateral (
    select c.fired_until from "chronis"."cursor" c
    where c.job_uid = f.job_uid and c.next_at = to_timestamp(f.nominal_ms / 1000) and c.revision = f.revision
      and not exists (
    select from "chronis"."pause" p where not (false) and (
      p.kind = 'all'
      or (p.kind = 'handler' and p.name = c.handler)
      or (p.kind = 'queue' and p.name = c.queue)
      or (p.kind = 'namespace' and p.name = c.namespace)
    )
  )
      and (f.overlap <> 'wait' or (select count(*) from "chronis"."run" r where r.job_uid = f.job_uid and r.origin <> 'backfill') = 0)
    for update of c skip locked
  ) stands
),
advanced as (
  update "chronis"."cursor" c set next_at = to_timestamp(m.next_ms / 1000), fired = m.fired, fired_until = greatest(c.fired_until, to_timestamp(m.until_ms / 1000))
  from moved m where c.job_uid = m.job_uid and m.next_ms is not null
),
finished as (
  delete from "chronis"."cursor" c using moved m where c.job_uid = m.job_uid and m.next_ms is null
),
birth as (
  select b.*, m.overlap, m.fired_until, j.namespace, j.id as job_id, j.handler, j.queue, j.priority, met.*
  from unnest((select $14::bigint[]), (select $15::float8[]), (select $16::float8[]), (select $17::int[])) with ordinality
    b (job_uid, nominal_ms, due_ms, missed, nth)
  join moved m on m.job_uid = b.job_uid
  join "chronis"."job" j on j.uid = b.job_uid
  -- Not EXISTS: the planner might answer it by a hash of all runs.
  cross join lateral (
    select count(*) filter (where r.origin <> 'backfill') > 0 as active,
      coalesce(bool_or(r.blocked and r.origin <> 'backfill'), false) as queued,
      coalesce(bool_or(r.nominal_at = to_timestamp(b.nominal_ms / 1000) and r.origin in ('schedule', 'backfill')), false) as there
    from "chronis"."run" r where r.job_uid = b.job_uid
  ) met
),
counted as (
  select *, row_number() over (partition by job_uid order by nth) as nth_of_job, count(*) over (partition by job_uid) as of_job
  from birth where not there and (fired_until is null or fired_until < to_timestamp(nominal_ms / 1000))
),
decided as (
  select *,
    case overlap
      when 'skip' then active or nth_of_job > 1
      when 'queue' then queued or nth_of_job + active::int > 2
      when 'cancel-running' then nth_of_job < of_job
      else false
    end as skipped,
    case overlap
      when 'queue' then active or nth_of_job > 1
      when 'cancel-running' then active
      else false
    end as blocked,
    overlap = 'queue' and not active and of_job > 1 and nth_of_job = 1 as blocks
  from counted
),
blocking as materialized (
  select r.id from "chronis"."run" r
  where r.job_uid in (select job_uid from decided where blocked and active and not skipped) and r.verdict is null
    and r.origin <> 'backfill'
  order by r.id for update of r
),
marked as (
  update "chronis"."run" r set blocks = true from blocking b where r.id = b.id
),
due as (
  select *, row_number() over (partition by claimable order by nth) as place
  from (
    select *, to_timestamp(due_ms / 1000) <= coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) + $6::float8 * interval '1 millisecond' and handler = any ($4::text[]) and queue = any ($3::text[]) and not blocked as claimable
    from decided where not skipped
  ) d
),
born as (
  insert into "chronis"."run" (namespace, job_id, keyed, job_uid, origin, handler, queue, priority, nominal_at, due_at,
    held_due_at, blocked, blocks, missed, attempt, fence, worker, parked_by, started_at)
  select namespace, job_id, false, job_uid, 'schedule', handler, queue, priority,
    to_timestamp(nominal_ms / 1000), case when not blocked then to_timestamp(due_ms / 1000) end,
    case when blocked then to_timestamp(due_ms / 1000) end, blocked, blocks, missed,
    claimed::int, claimed::int, case when claimed then $2 end, case when claimed then $2 end, case when claimed then greatest(to_timestamp(due_ms / 1000), coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))) end
  from (
    select *, claimable and place <= $5 and exists (
      select from "chronis"."worker" where id = $2 and lease_until > coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) and released_at is null
    ) as claimed
    from due
  ) d order by nth
  returning *
),
gaps as (
  insert into "chronis"."gap" (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
  select g.job_uid, g.namespace, g.job_id, to_timestamp(g.from_ms / 1000), to_timestamp(g.until_ms / 1000), g.verdict, g.count, g.reason
  from (
    select u.*, j.namespace, j.id as job_id, 0 as part
    from unnest((select $18::bigint[]), (select $19::float8[]), (select $20::float8[]), (select $21::text[]), (select $22::int[]), (select $23::text[])) with ordinality
      u (job_uid, from_ms, until_ms, verdict, count, reason, nth)
    join moved m on m.job_uid = u.job_uid join "chronis"."job" j on j.uid = u.job_uid
    union all
    select job_uid, nominal_ms, nominal_ms, 'skipped', 1, 'overlap', nth, namespace, job_id, 1 from decided where skipped
  ) g
  order by g.part, g.nth
),
told as (select coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())))
select (select coalesce(json_agg(job_uid::text), '[]') from moved) as moved,
  (select coalesce(json_agg(claimed order by claimed.id::bigint), '[]') from (
    select 
  r.id::text, r.fence, r.attempt, r.lost_count, r.missed, r.origin,
  r.job_uid::text, r.job_id, r.namespace, r.handler, r.queue, r.priority,
  round(date_part('epoch', r.nominal_at) * 1000) as nominal_at, round(date_part('epoch', r.due_at) * 1000) as due_at,
  coalesce(r.name, j.name) as name, coalesce(r.time_zone, j.time_zone) as time_zone,
  coalesce(r.payload, j.payload) as payload, coalesce(r.metadata, j.metadata) as metadata,
  coalesce(r.policies, j.policies) as policies from born r join "chronis"."job" j on j.uid = r.job_uid where r.worker is not null
  ) claimed) as runs,
  (select count(*)::int from born where worker is null) as unclaimed,
  exists (select from born where blocked) as blocked,
  (select coalesce(json_agg(json_build_object('jobUid', job_uid::text, 'nominalAt', nominal_ms) order by nth), '[]')
    from decided where skipped) as skipped,
  (select count(*) from told) as told, coalesce($1::float8, date_part('epoch', clock_timestamp()) * 1000) as now
