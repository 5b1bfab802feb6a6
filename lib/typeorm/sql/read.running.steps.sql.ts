import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked, that is over. The steps that workers have in their hands, of it and of the workflows within it; `top`: the run of the step of this flow in which that is.
export function readRunningStepsSql(t: TableNames): string {
  return `
with recursive within (id, top) as (
  select $2::bigint, null::bigint
  union all
  select f.id, coalesce(w.top, f.run_id) from within w cross join lateral (select f.id, f.run_id from ${t.flow} f where f.parent = w.id offset 0) f
)
select s.name, nullif(s.nth, -1) as nth, f.run_id::text as flow_run_id, f.workflow, coalesce(w.top, s.run_id)::text as top, ${ms(now)} as now
from within w cross join lateral (select f.* from ${t.flow} f where f.id = w.id and f.active > 0 offset 0) f
  cross join lateral (select s.* from ${t.flow_step} s where s.flow = f.id and s.released_at is not null and s.verdict is null and s.run_id is not null offset 0) s
where exists (select from ${t.run} r where r.id = s.run_id and r.flow_step = s.id and r.worker is not null and r.verdict is null)`;
}
