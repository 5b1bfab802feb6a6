import { runStepColumns } from './run.step.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 name of the step · $4 position · $5 attempt · $6 when it began · $7 name of the signal · $8 until when it waits · $9 the how manieth to end, if it does · $10 names of the waits that come before it
 *
 * The step takes the oldest signal of the name that is left by those before it which wait, and has its payload for a result; else it waits, or has timed out. One that has ended stays as it is. The run is locked by `awaitSignalSql`.
 */
export function takeRunSignalSql(t: TableNames): string {
  const isOver = '(found.payload is not null or wait.until <= ' + now + ')';
  const sent = `${t.run_signal} g where g.run_id = $2::bigint and g.name = $7::text`;
  return `
with recursive there as materialized (
  select * from ${t.run_step} where run_id = $2::bigint and name = $3::text
),
wait as materialized (
  select case when exists (select from there) then (select wait_until from there) else ${at('$8::float8')} end as until
),
before as materialized (
  select row_number() over (order by b.nth) as nth, s.wait_until
  from unnest($10::text[]) with ordinality b (name, nth) join ${t.run_step} s on s.run_id = $2::bigint and s.name = b.name and s.signal = $7::text and s.finished_at is null
),
theirs as (
  select 0::bigint as nth, '{}'::bigint[] as ids
  union all
  select b.nth, t.ids || array(select g.id from ${sent} and g.id <> all (t.ids) and (b.wait_until is null or g.sent_at <= b.wait_until) order by g.id limit 1)
  from theirs t join before b on b.nth = t.nth + 1 and exists (select from ${sent} and g.id <> all (t.ids))
),
found as materialized (
  select g.id, g.payload from wait, ${sent} and (wait.until is null or g.sent_at <= wait.until)
    and g.id <> all ((select t.ids from theirs t order by t.nth desc limit 1)::bigint[])
    and not exists (select from there where finished_at is not null)
  order by g.id limit 1
),
taken as (
  delete from ${t.run_signal} where id = (select id from found)
),
kept as (
  insert into ${t.run_step} as s (run_id, name, kind, position, attempt, started_at, wait_until, signal, finished_at, ended, result, timed_out, flow_step)
  select $2::bigint, $3::text, 'signal', $4::int, $5::int, least(${at('$6::float8')}, ${now}), wait.until, $7::text,
    case when ${isOver} then ${now} end, case when ${isOver} then $9::int end, found.payload, found.payload is null and coalesce(wait.until <= ${now}, false),
    (select r.flow_step from ${t.run} r where r.id = $2::bigint)
  from wait left join found on true
  on conflict (run_id, name) do update set
    attempt = excluded.attempt, finished_at = excluded.finished_at, ended = excluded.ended, result = excluded.result, timed_out = excluded.timed_out
  where s.finished_at is null
  returning s.*
)
select ${runStepColumns} from (select * from kept union all select * from there where finished_at is not null) s`;
}
