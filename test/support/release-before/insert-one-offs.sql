with clock as materialized (select coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) as now),

given as (
  select c.*, u.id, u.trigger, u.payload, to_timestamp(u.at_ms / 1000) as given_at, u.nth
  from unnest($13::text[], $14::int[], string_to_array($15::text, E'\x1f'), string_to_array($16::text, E'\x1f'), $17::float8[]) with ordinality
      u (id, kind, trigger, payload, at_ms, nth)
    join unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::text[], $10::text[],
        $11::text[], $12::text[]) with ordinality
      c (namespace, name, source, app, handler, queue, priority, time_zone, metadata, policies, hash, kind)
      on c.kind = u.kind
),
created as (
  insert into "chronis"."run" (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at, due_at,
    name, source, app, trigger, time_zone, payload, metadata, policies, definition_hash, revision, created_at, updated_at)
  select namespace, id, true, $18, handler, queue, priority, coalesce(given_at, (select now from clock)), coalesce(given_at, (select now from clock)),
    name, source, app, trigger::json, time_zone, payload::json, metadata::jsonb, policies::json, hash, 1, (select now from clock), (select now from clock)
  from given order by nth
  on conflict (namespace, job_id) where keyed do nothing
  returning namespace, job_id, due_at
),
told as (select coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())))
select (extract(epoch from now) * 1000)::float8 as created_at, case when (select count(*) from created) < cardinality($13::text[])
    then (select coalesce(json_agg(json_build_array(namespace, job_id)), '[]') from created) end as stored, (select count(*) from told) as told from clock
