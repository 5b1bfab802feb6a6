import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms · $3 limit
 *
 * Flows that were over before, those first that were first, with their steps and edges. One of which an ancestor goes on stays. A run that still goes on of a flow that was cancelled finds no step any more, and ends without.
 */
export function pruneFlowsSql(t: TableNames): string {
  return `
with old as materialized (
  select f.id from ${t.flow} f
  where f.ended_at < ${at('$2::float8')} and (
    with recursive above (id, going) as (
      select f.parent, false where f.parent is not null
      union all
      select p.parent, p.verdict is null from above a cross join lateral (select p.parent, p.verdict from ${t.flow} p where p.id = a.id offset 0) p
    )
    select count(*) from above where going
  ) = 0
  order by f.ended_at limit $3 for update skip locked
),
gone as (
  delete from ${t.flow} f where f.id = any (array(select id from old)) returning f.id
),
orphaned as (
  update ${t.flow} f set parent = null where f.parent = any (array(select id from old)) and f.id <> all (array(select id from old))
),
steps as (
  delete from ${t.flow_step} s where s.flow = any (array(select id from old)) returning s.id
),
edges as (
  delete from ${t.flow_edge} e where e.parent = any (array(select id from steps))
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
