import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 steps · $3 flows
 *
 * Locks the flows of these steps, these flows, and all that they are steps of, since what ends here may end those. One flow has one writer at a time: whoever moves it on holds this lock, and reads by
 * statements after this one, as their snapshots have what the writer before has committed.
 */
export function lockFlowsSql(t: TableNames): string {
  return `
with recursive concerned (id) as (
  select s.flow from unnest($2::bigint[]) u (id) cross join lateral (select s.flow from ${t.flow_step} s where s.id = u.id offset 0) s
  union
  select u.id from unnest($3::bigint[]) u (id)
  union
  select f.parent from concerned c cross join lateral (select f.parent from ${t.flow} f where f.id = c.id offset 0) f where f.parent is not null
)
select f.id::text, f.verdict is not null as over, f.ending_at is not null as ending, ${ms(now)} as now from ${t.flow} f
where f.id = any (array(select id from concerned)) order by f.id for no key update`;
}
