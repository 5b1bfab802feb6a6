import { births, newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** Whether a verdict counts as good. */
export const isGood = (step: string, verdict = `${step}.verdict`): string =>
  `(${verdict} in ('succeeded', 'skipped') or ${step}.allow_failure)`;

/**
 * $1 time · $2 steps · $3 the run that each has ended by, null: none · $4 how · $5 reasons · $6 results · $7 further steps to look at · after `lockFlowsSql`
 *
 * Writes the verdicts of steps, counts them for all that waits for them, and decides: what is released gets its run; what is skipped or cancelled by that, and a map whose last instance has ended, comes out as `decided`, to be passed to the next call;
 * a map that is released comes out as one of `maps`, for `expandMapsSql`. `flows`: those that have more or fewer steps under way than before. A flow that is over decides nothing.
 *
 * A verdict is counted once, as it is only written where there is none, and by the latest run of the step. The cost depends on the edges of what has ended, not on the size of the flow. Rows are found by LATERAL, as the planner, which does not know how many there are, would
 * rather read small tables from one end to the other, and these grow quickly.
 */
export function advanceFlowsSql(t: TableNames): string {
  return `
with ended as materialized (
  select u.id, u.verdict, u.reason, u.result, s.flow, s.map_of, s.released_at is not null and s.map_of is null as was_active, ${isGood('s', 'u.verdict')} as good
  from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[]) u (id, run_id, verdict, reason, result)
    cross join lateral (select s.flow, s.map_of, s.released_at, s.allow_failure from ${t.flow_step} s where s.id = u.id and s.verdict is null and (u.run_id is null or s.run_id = u.run_id) offset 0) s
),
delta as materialized (
  select d.id, sum(d.ok)::int as ok, sum(d.bad)::int as bad, sum(d.skipped)::int as skipped, sum(d.items_ok)::int as items_ok, sum(d.items_bad)::int as items_bad
  from (
    select c.child as id, e.good::int as ok, (not e.good)::int as bad, (e.verdict = 'skipped')::int as skipped, 0 as items_ok, 0 as items_bad
    from ended e cross join lateral (select c.child from ${t.flow_edge} c where c.parent = e.id offset 0) c where e.map_of is null
    union all
    select e.map_of, 0, 0, 0, e.good::int, (not e.good)::int from ended e where e.map_of is not null
    union all
    select u.id, 0, 0, 0, 0, 0 from unnest($7::bigint[]) u (id)
  ) d group by d.id
),
counted as materialized (
  select c.id, c.flow, c.name, c.nth, c.kind, c.handler, c.queue, c.priority, c.policies, c.delay_ms, c.deadline_ms, c.is_map, c.released_at, c.verdict, c.otherwise, c.need, c.parents, c.items,
    c.ok + d.ok as ok, c.bad + d.bad as bad, c.skipped + d.skipped as skipped, c.items_ok + d.items_ok as items_ok, c.items_bad + d.items_bad as items_bad
  from delta d cross join lateral (select c.* from ${t.flow_step} c where c.id = d.id offset 0) c
),
fated as materialized (
  select c.*, case
      when c.verdict is not null or c.id in (select id from ended) then null
      when c.released_at is not null then case when c.is_map and c.items_ok + c.items_bad = c.items then 'end' end
      when f.verdict is not null then null
      when c.skipped > 0 and c.skipped = c.parents then 'skip'
      when c.ok >= c.need or (c.otherwise = 'run' and c.ok + c.bad = c.parents) then case when c.is_map then 'map' else 'run' end
      when c.otherwise = 'cancel' and c.parents - c.bad < c.need then 'cancel'
    end as fate
  from counted c cross join lateral (select f.verdict from ${t.flow} f where f.id = c.flow offset 0) f
),
released as materialized (
  select r.*, ${newRunId(t)} as run_id from fated r where r.fate = 'run'
),
written as (
  update ${t.flow_step} s
  set verdict = e.verdict, ended_at = ${now}, reason = e.reason, result = case when e.verdict = 'succeeded' then e.result::json end,
    result_size = case when e.verdict = 'succeeded' then coalesce(length(e.result), 0) else 0 end,
    ok = s.ok + coalesce(d.ok, 0), bad = s.bad + coalesce(d.bad, 0), skipped = s.skipped + coalesce(d.skipped, 0)
  from ended e left join delta d on d.id = e.id where s.id = e.id
),
noted as (
  update ${t.flow_step} s
  set ok = c.ok, bad = c.bad, skipped = c.skipped, items_ok = c.items_ok, items_bad = c.items_bad,
    run_id = coalesce(r.run_id, s.run_id), released_at = case when r.run_id is not null then ${now} else s.released_at end
  from fated c left join released r on r.id = c.id where s.id = c.id and c.id not in (select id from ended)
),
${births(t, `released s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f`)},
moved as (
  update ${t.flow} f set active = f.active + m.by
  from (
    select flow, sum(by)::int as by from (select flow, -1 as by from ended where was_active union all select flow, 1 from released) b group by flow having sum(by) <> 0
  ) m where f.id = m.flow
  returning f.id, f.active
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select
  (select json_agg(json_build_object('id', id::text, 'verdict', case fate when 'skip' then 'skipped' when 'cancel' then 'cancelled' else case when items_bad = 0 then 'succeeded' else 'failed' end end,
    'reason', case when fate = 'skip' then 'All of its parents were skipped.' when fate = 'end' and items_bad > 0 then items_bad || ' of its ' || items || ' instances have not ended well.' end))
    from fated where fate in ('skip', 'cancel', 'end')) as decided,
  (select json_agg(id::text order by id) from fated where fate = 'map') as maps,
  (select json_agg(json_build_object('id', id::text, 'active', active)) from moved) as flows,
  ${toldColumn}`;
}
