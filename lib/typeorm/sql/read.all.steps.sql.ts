import { isGood } from './advance.flows.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked. All of its steps, in their order, as far as a retry is concerned; `good` where they have ended well.
export function readAllStepsSql(t: TableNames): string {
  return `
select s.id::text, s.name, s.map_of::text, s.added_by::text, s.run_id::text, s.is_map, s.items is not null as is_expanded,
  s.released_at is null and s.verdict is null as waiting, coalesce(${isGood('s')}, false) and s.verdict is not null as good,
  case when s.map_of is null then (select json_agg(e.child::text) from ${t.flow_edge} e where e.parent = s.id) end as children, ${ms(now)} as now
from ${t.flow_step} s where s.flow = $2::bigint order by s.id`;
}
