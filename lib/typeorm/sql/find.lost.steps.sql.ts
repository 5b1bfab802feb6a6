import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 flow, after which to look on · $3 how many flows · $4 how many steps
 *
 * Of flows that go on, in the order of their runs, steps that are released and whose run is gone, with how that has ended as the ledger has it; and flows whose own run is gone, or is no flow any more. A release that knows no flows has ended these. One snapshot is enough: ours
 * writes the end of a run and that of its step in one transaction. `last`: the last flow that it has looked at; null: there is none after.
 */
export function findLostStepsSql(t: TableNames): string {
  return `
with looked as materialized (
  select f.id, f.run_id from ${t.flow} f where f.ended_at is null and f.run_id > $2::bigint order by f.run_id limit $3
),
lost as (
  select s.id, s.run_id
  from looked f cross join lateral (
    select s.id, s.run_id from ${t.flow_step} s where s.flow = f.id and s.released_at is not null and s.verdict is null and s.run_id is not null
      and (select count(*) from ${t.run} r where r.id = s.run_id and r.flow_step = s.id and r.verdict is null) = 0
    limit $4
  ) s limit $4
)
select ${ms(now)} as now, (select max(run_id)::text from looked) as last,
  (
    select json_agg(json_build_object('id', l.id::text, 'runId', l.run_id::text, 'verdict', a.outcome, 'reason', a.error, 'result', a.result::text))
    from lost l left join lateral (select a.* from ${t.attempt} a where a.run_id = l.run_id and a.final limit 1) a on true
  ) as steps,
  (
    select json_agg(f.id::text) from looked f where (select count(*) from ${t.run} r where r.id = f.run_id and r.flow = f.id and r.verdict is null) = 0
  ) as flows`;
}
