with 
given as (
  select c.*, u.id, u.trigger, u.payload, to_timestamp(u.at_ms / 1000) as given_at, u.nth
  from unnest($13::text[], $14::int[], string_to_array($15::text, E'\x1f'), string_to_array($16::text, E'\x1f'), $17::float8[]) with ordinality
      u (id, kind, trigger, payload, at_ms, nth)
    join unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::text[], $10::text[],
        $11::text[], $12::text[]) with ordinality
      c (namespace, name, source, app, handler, queue, priority, time_zone, metadata, policies, hash, kind)
      on c.kind = u.kind
),
reserved as (
  insert into "chronis"."run" (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at)
  select namespace, id, true, 'reserved', '', '', 0, coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) from given order by nth
  on conflict (namespace, job_id) where keyed do nothing
  returning namespace, job_id
),
first as (
  select distinct on (g.namespace, g.id) g.*, d.delay_ms
  from reserved r
    join given g on g.namespace = r.namespace and g.id = r.job_id
    join unnest($18::bigint[]) with ordinality d (delay_ms, nth) on d.nth = g.nth
  order by g.namespace, g.id, g.nth
),
created as (
  insert into "chronis"."job" (namespace, id, name, source, app, generation, handler, queue, priority, trigger, trigger_type,
    time_zone, payload, metadata, policies, definition_hash, fired, revision, created_at, updated_at)
  select namespace, id, name, source, app, $19::int, handler, queue, priority, trigger::json, trigger::json ->> 'type',
    time_zone, payload::json, metadata::jsonb, policies::json, hash, 0, 1, coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())), coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))
  from first order by nth
  returning uid, namespace, id
),
counted as (
  insert into "chronis"."job_stat" (job_uid) select uid from created
),
stands as (
  insert into "chronis"."cursor" (job_uid, namespace, handler, queue, next_at, delay_ms, revision, fired)
  select c.uid, f.namespace, f.handler, f.queue, f.given_at, f.delay_ms, 1, 0
  from created c full join first f on f.namespace = c.namespace and f.id = c.id
  where coalesce(f.given_at > '-infinity', false)
  returning next_at
),
told as (select coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())))
select (extract(epoch from coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))) * 1000)::float8 as created_at, case when (select count(*) from created) < cardinality($13::text[])
    then (select coalesce(json_agg(json_build_array(namespace, id)), '[]') from created) end as stored, (select count(*) from told) as told
