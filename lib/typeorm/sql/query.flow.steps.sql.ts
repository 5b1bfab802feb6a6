import { stepState } from './query.flows.sql.js';
import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

/**
 * $1 time · $2 limit · $3 flow · $4 whether with results · $5 how many characters these may have together · from $6 on what the conditions need
 *
 * In the order in which they were stored, instances of a map behind it. `fits`: null where the results that come before have so many characters; the first one always comes.
 */
export function queryFlowStepsSql(t: TableNames, where: string): string {
  return `
with page as materialized (
  select s.id, coalesce(s.map_of, s.id) as place, s.nth, s.result_size from ${t.flow_step} s cross join (select $1::float8) time
  where s.flow = $3::bigint and ${where} order by coalesce(s.map_of, s.id), s.nth limit $2
),
sized as (
  select p.*, sum(p.result_size) over (order by p.place, p.nth) <= $5::int or row_number() over (order by p.place, p.nth) = 1 or not $4::boolean as fits from page p
)
select z.place::text, s.nth, s.name, ${stepState} as state, s.need, s.otherwise, s.delay_ms::numeric, s.allow_failure, s.is_map, s.kind, s.handler, case when s.released_at is not null then s.run_id end::text as run_id, s.ok, s.bad,
  ${ms('s.released_at')} as released_at, ${ms('s.ended_at')} as ended_at, s.reason, case when $4::boolean and z.fits then s.result end as result, z.fits,
  (
    select json_agg(json_build_object('parent', e.name, 'data', e.data) order by e.parent)
    from (select e.parent, e.data, p.name from ${t.flow_edge} e join ${t.flow_step} p on p.id = e.parent where e.child = s.id) e
  ) as after
from sized z cross join lateral (select s.* from ${t.flow_step} s where s.id = z.id offset 0) s cross join (select f.verdict from ${t.flow} f where f.id = $3::bigint) f
order by z.place, z.nth`;
}
