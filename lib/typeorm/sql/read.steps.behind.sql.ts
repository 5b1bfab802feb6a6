import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 steps of a flow, locked. These and all that comes after them, each with the names of those that come after it.
export function readStepsBehindSql(t: TableNames): string {
  return `
with recursive behind (id) as (
  select u.id from unnest($2::bigint[]) u (id)
  union
  select e.child from behind b cross join lateral (select e.child from ${t.flow_edge} e where e.parent = b.id offset 0) e
)
select s.name, coalesce((
    select json_agg(c.name) from ${t.flow_edge} e cross join lateral (select c.name from ${t.flow_step} c where c.id = e.child offset 0) c where e.parent = s.id
  ), '[]') as children, ${ms(now)} as now
from behind b cross join lateral (select s.id, s.name from ${t.flow_step} s where s.id = b.id offset 0) s order by s.id`;
}
