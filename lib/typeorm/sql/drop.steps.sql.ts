import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 steps of a locked flow, which are to be as if they had never been added: what waits for them waits no more.
export function dropStepsSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.flow_step} s where s.id = any ($2::bigint[]) or s.id in (
    select i.id from unnest($2::bigint[]) u (id) cross join lateral (select m.flow, m.name from ${t.flow_step} m where m.id = u.id offset 0) m
      cross join lateral (select i.id from ${t.flow_step} i where i.flow = m.flow and i.name = m.name and i.nth >= 0 offset 0) i
  ) returning s.id
),
edges as (
  delete from ${t.flow_edge} e where e.parent = any ($2::bigint[]) or e.child = any ($2::bigint[]) returning e.child
),
freed as (
  update ${t.flow_step} s set parents = s.parents - e.edges, need = s.need - e.edges
  from (select child, count(*)::int as edges from edges where child <> all ($2::bigint[]) group by child) e where s.id = e.child
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
