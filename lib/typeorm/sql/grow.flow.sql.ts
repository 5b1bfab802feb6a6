import { isGood } from './advance.flows.sql.js';
import { givenColumns, givenSteps, givenValues } from './open.flow.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 flow, locked · $3 steps as JSON · $4 the step that has added each · $5 edges: the parent, a step that there is, or one of these with a minus before its number from 1 · $6 the child, likewise · $7 whether it may read the result
 *
 * Adds steps and edges. A parent that has ended is counted here, one that is about to by `advanceFlowsSql`, which is to look at what comes out. A step that was there waits for its new parents as well, and needs one more for each; an edge that it has already changes nothing.
 */
export function growFlowSql(t: TableNames): string {
  const counts = `count(*) filter (where ${isGood('p')})::int as ok, count(*) filter (where not ${isGood('p')})::int as bad, count(*) filter (where p.verdict = 'skipped')::int as skipped`;
  const parent = `(select p.* from ${t.flow_step} p where p.id = e.parent and p.verdict is not null offset 0) p`;
  return `
with ${givenSteps('$3')},
edge as materialized (
  select e.* from unnest($5::bigint[], $6::bigint[], $7::boolean[]) e (parent, child, data)
),
counted as materialized (
  select -e.child as place, ${counts} from edge e cross join lateral ${parent} where e.child < 0 and e.parent > 0 group by 1
),
stored as (
  insert into ${t.flow_step} (flow, added_by, ${givenColumns}, ok, bad, skipped)
  select $2::bigint, ($4::bigint[])[g.place], ${givenValues}, coalesce(c.ok, 0), coalesce(c.bad, 0), coalesce(c.skipped, 0)
  from given g left join counted c on c.place = g.place order by g.place
  returning id
),
ids as materialized (
  select array(select id from stored order by id) as of
),
linked as (
  insert into ${t.flow_edge} (parent, child, data)
  select case when e.parent < 0 then ids.of[-e.parent] else e.parent end, case when e.child < 0 then ids.of[-e.child] else e.child end, e.data from edge e cross join ids
  on conflict (parent, child) do nothing
  returning parent, child
),
joined as (
  update ${t.flow_step} s set parents = s.parents + l.edges, need = s.need + l.edges, ok = s.ok + l.ok, bad = s.bad + l.bad, skipped = s.skipped + l.skipped
  from (
    select e.child, count(*)::int as edges, (count(*) filter (where ${isGood('p')}))::int as ok, (count(*) filter (where p.verdict is not null and not ${isGood('p')}))::int as bad,
      (count(*) filter (where p.verdict = 'skipped'))::int as skipped
    from linked e left join lateral ${parent} on true
    -- Those that were there: ids only grow.
    where e.child < coalesce((select ids.of[1] from ids), e.child + 1) group by e.child
  ) l where s.id = l.child
)
select id::text, ${ms(now)} as now from stored order by id`;
}
