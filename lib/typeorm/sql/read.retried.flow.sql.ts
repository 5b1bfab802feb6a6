import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked. What a retry has to know of it; `part_of`: the step of another flow that it is.
export function readRetriedFlowSql(t: TableNames): string {
  return `
select f.id::text, f.workflow, f.verdict, f.parent is not null as is_part, p.name as part_of, p.run_id::text as part_of_run, p.workflow as part_of_workflow, ${ms(now)} as now
from ${t.flow} f left join lateral (
  select s.name, a.run_id, a.workflow from ${t.flow} a cross join lateral (select s.name from ${t.flow_step} s where s.flow = a.id and s.run_id = f.run_id limit 1) s where a.id = f.parent
) p on true
where f.id = $2::bigint`;
}
