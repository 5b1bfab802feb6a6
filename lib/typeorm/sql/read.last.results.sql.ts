import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 flow · $3 how many characters they may have together
 *
 * The results of the steps that nothing comes after, of maps a list; whether they have more is found without reading them.
 */
export function readLastResultsSql(t: TableNames): string {
  return `
with last as materialized (
  select s.id, s.flow, s.name, s.items from ${t.flow_step} s
  where s.flow = $2::bigint and s.map_of is null and (select count(*) from (select from ${t.flow_edge} e where e.parent = s.id limit 1) e) = 0
),
size as (
  select coalesce(sum(s.result_size), 0) as characters
  from last l cross join lateral (
    select s.result_size from ${t.flow_step} s where s.flow = l.flow and s.name = l.name offset 0
  ) s
)
select ${ms(now)} as now, z.characters <= $3::int as fits, case when z.characters <= $3::int then (
  select json_agg(json_build_object('name', l.name, 'result', case when l.items is null then (select s.result from ${t.flow_step} s where s.id = l.id)
    else (select json_agg(s.result order by s.nth) from ${t.flow_step} s where s.flow = l.flow and s.name = l.name and s.nth >= 0) end) order by l.id) from last l
) end as results
from size z`;
}
