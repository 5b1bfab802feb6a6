import { releasing } from './release.steps.sql.js';
import { newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';

/** $1 time · $2 maps that are released once more · after `advanceFlowsSql`. Releases those of their instances that wait, to go on where they were, with the items that a parent which is a map has come to by now. */
export function resumeMapsSql(t: TableNames): string {
  return releasing(
    t,
    `select i.id, i.run_id as before, ${newRunId(t)} as run_id, case when i.given is null and p.verdict is not null and p.items is not null then coalesce(r.result, 'null') end as payload
  from unnest($2::bigint[]) u (id)
    cross join lateral (select m.id, m.flow, m.name, m.payload from ${t.flow_step} m where m.id = u.id offset 0) m
    cross join lateral (
      select i.id, i.nth, i.run_id, m.payload as given from ${t.flow_step} i where i.flow = m.flow and i.name = m.name and i.nth >= 0 and i.verdict is null and i.released_at is null offset 0
    ) i
    cross join lateral (select e.parent from ${t.flow_edge} e where e.child = m.id and e.data offset 0) e
    cross join lateral (select p.flow, p.name, p.verdict, p.items from ${t.flow_step} p where p.id = e.parent offset 0) p
    left join lateral (select r.result from ${t.flow_step} r where r.flow = p.flow and r.name = p.name and r.nth = i.nth offset 0) r on p.items is not null`,
  );
}
