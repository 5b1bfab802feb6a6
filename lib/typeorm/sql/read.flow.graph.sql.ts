import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow. Its steps, without instances of maps, in their order, each with the names of its parents.
export function readFlowGraphSql(t: TableNames): string {
  return `
select s.name, coalesce((
    select json_agg(p.name) from ${t.flow_edge} e cross join lateral (select p.name from ${t.flow_step} p where p.id = e.parent offset 0) p where e.child = s.id
  ), '[]') as parents, ${ms(now)} as now
from ${t.flow_step} s where s.flow = $2::bigint and s.map_of is null order by s.id`;
}
