insert into "chronis"."worker" as w
  (id, name, app, generation, host, pid, version, zone_data, queues, handlers, started_at, lease_until)
values ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())), coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now())) + $12::float8 * interval '1 millisecond')
on conflict (id) do update set lease_until = excluded.lease_until where w.released_at is null
returning (extract(epoch from coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))) * 1000)::float8 as now, (extract(epoch from lease_until) * 1000)::float8 as lease_until
