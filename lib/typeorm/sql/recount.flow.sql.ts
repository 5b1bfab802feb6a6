import { isGood } from './advance.flows.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked · $3 steps that wait again · $4 those of these that are named · $5 all that run again: what else is a parent of one that is named does not count against it. What they have to count of their parents, and how much the flow has under way.
export function recountFlowSql(t: TableNames): string {
  return `
with counted as (
  update ${t.flow_step} s set ok = c.ok, bad = c.bad, skipped = c.skipped
  from unnest($3::bigint[]) u (id) cross join lateral (
    select count(*) filter (where p.spared or p.good)::int as ok, count(*) filter (where not p.spared and p.verdict is not null and not p.good)::int as bad, count(*) filter (where not p.spared and p.verdict = 'skipped')::int as skipped
    from ${t.flow_edge} e cross join lateral (
      select p.verdict, p.verdict is not null and ${isGood('p')} as good, u.id = any ($4::bigint[]) and p.id <> all ($5::bigint[]) as spared
      from ${t.flow_step} p where p.id = e.parent offset 0
    ) p where e.child = u.id
  ) c
  where s.id = u.id
),
moved as (
  update ${t.flow} f
  set active = (select count(*) from ${t.flow_step} s where s.flow = f.id and s.map_of is null and s.released_at is not null and s.verdict is null)
  where f.id = $2::bigint
)
select ${ms(now)} as now`;
}
