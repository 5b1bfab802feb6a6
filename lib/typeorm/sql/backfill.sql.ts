import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 job, locked like its cursor · $3 instants in ms · $4 from where on they are the schedule's own, in ms; null: nowhere
 * · $5 also those that succeeded (boolean) · $6 dry run (boolean) · $7 one after the other (boolean)
 *
 * Those that run one after the other are born blocked, and `unblockSql` has to follow. The ledger is read once, from the first instant on: nothing
 * can have finished long before it was due (an hour is left to clocks).
 */
export function backfillSql(t: TableNames): string {
  return `
with job as (
  select * from ${t.job} where uid = $2::bigint
),
asked as materialized (
  select ${at('u.ms')} as nominal_at, u.ms from unnest($3::float8[]) u (ms)
),
active as materialized (
  select distinct nominal_at from ${t.run}
  where job_uid = $2::bigint and verdict is null and origin <> 'manual'
),
succeeded as materialized (
  select distinct a.nominal_at from ${t.attempt} a join job j on a.namespace = j.namespace and a.job_id = j.id
  where not $5::boolean and a.final and a.outcome = 'succeeded'
    and a.finished_at > (select min(nominal_at) from asked) - interval '1 hour'
),
judged as materialized (
  select a.*,
    case
      when a.ms >= $4::float8 then 'scheduled'
      when a.nominal_at in (select nominal_at from active) then 'active'
      when a.nominal_at in (select nominal_at from succeeded) then 'succeeded'
    end as left_out
  from asked a
),
born as (
  insert into ${t.run} (namespace, job_id, keyed, job_uid, origin, handler, queue, priority, nominal_at, due_at,
    held_due_at, blocked, blocks, app)
  select j.namespace, j.id, false, j.uid, 'backfill', j.handler, j.queue, j.priority, d.nominal_at,
    case when not $7::boolean then ${now} end, case when $7::boolean then ${now} end, $7::boolean, $7::boolean, j.app
  from judged d cross join job j where d.left_out is null and not $6::boolean order by d.nominal_at
  returning id, nominal_at, due_at
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select ${ms(now)} as now, ${toldColumn},
  (select coalesce(json_agg(id::text order by nominal_at), '[]') from born) as run_ids,
  coalesce(json_agg(ms::numeric order by ms) filter (where left_out is null), '[]') as created,
  (count(*) filter (where left_out = 'active'))::int as active,
  (count(*) filter (where left_out = 'succeeded'))::int as succeeded,
  (count(*) filter (where left_out = 'scheduled'))::int as scheduled
from judged`;
}
