import { maxFlowSteps, maxMapItems } from '../../ports/storage.adapter.js';
import { births, newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';
import { moment } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 maps that are released · after `lockFlowsSql`
 *
 * Gives each an instance, with a run, for each item of the result of its data parent, which for a parent that is a map are the results of its instances. What has no item, or whose parent was skipped, is skipped, and what is no
 * array, as of a parent that has not ended, or has too many items, or more than the workflow may have steps with all that are in it, fails the map: these come out as `decided`, for `advanceFlowsSql`.
 */
export function expandMapsSql(t: TableNames): string {
  return `
with wanted as materialized (
  select m.*, f.root, p.name as parent_name, p.verdict as parent_verdict, p.reason as parent_reason, p.items as parent_items, p.id as parent_id, a.length as given,
    case when p.verdict = 'skipped' then 'skipped' when p.verdict is null or p.items is null and a.length is null then 'list' when a.length > ${maxMapItems} then 'items' end as fault
  from unnest($2::bigint[]) u (id)
    cross join lateral (select m.ctid as place, m.* from ${t.flow_step} m where m.id = u.id offset 0) m
    cross join lateral (select coalesce(f.root, f.id) as root from ${t.flow} f where f.id = m.flow offset 0) f
    cross join lateral (select e.parent from ${t.flow_edge} e where e.child = m.id and e.data offset 0) e
    cross join lateral (select p.* from ${t.flow_step} p where p.id = e.parent offset 0) p
    cross join lateral (select case when json_typeof(p.result) = 'array' then json_array_length(p.result) end as length offset 0) a
),
map as materialized (
  select w.*, r.workflow as root_workflow, r.run_id as root_run,
    coalesce(w.fault, case when r.steps + sum(case when w.fault is null then coalesce(w.parent_items, w.given) end) over (partition by w.root order by w.id) > ${maxFlowSteps} then 'steps' end) as fate
  from wanted w cross join lateral (select r.workflow, r.run_id, r.steps from ${t.flow} r where r.id = w.root offset 0) r
),
item as materialized (
  select m.*, i.nth as item, i.value, ${newRunId(t)} as new_run
  from map m cross join lateral (
    select (a.nth - 1)::int as nth, a.value
    from (select p.result from ${t.flow_step} p where p.id = m.parent_id) p cross join lateral json_array_elements(p.result) with ordinality a (value, nth)
    where m.parent_items is null
    union all
    select s.nth, coalesce(s.result, 'null') from ${t.flow_step} s where m.parent_items is not null and s.flow = m.flow and s.name = m.parent_name and s.nth >= 0
  ) i
  where m.fate is null
),
size as materialized (
  select id as map, flow, root, count(*)::int as items from item group by id, flow, root
),
change as materialized (
  select c.flow, c.by, c.more, f.place
  from (
    select b.flow, sum(b.by)::int as by, sum(b.more)::int as more from (select flow, 1 as by, 0 as more from size union all select root, 0, items from size) b group by b.flow
  ) c cross join lateral (select f.ctid as place from ${t.flow} f where f.id = c.flow offset 0) f
),
stored as (
  insert into ${t.flow_step} (flow, map_of, nth, parents, need, run_id, released_at, priority, allow_failure, is_map, delay_ms, deadline_ms, name, otherwise, kind, handler, queue, policies, payload)
  select i.flow, i.id, i.item, 0, 0, i.new_run, ${moment}, i.priority, i.allow_failure, false, i.delay_ms, i.deadline_ms, i.name, i.otherwise, i.kind, i.handler, i.queue, i.policies, coalesce(i.payload, i.value)
  from item i order by i.id, i.item
  returning *
),
${births(t, `stored s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f`)},
released as (
  update ${t.flow_step} s set released_at = ${moment}, items = z.items from size z where s.ctid = any (array(select place from map)) and s.id = z.map
),
moved as (
  update ${t.flow} f set active = f.active + c.by, steps = f.steps + c.more from change c where f.ctid = any (array(select place from change)) and f.id = c.flow
  returning f.id, f.active
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select
  (select json_agg(json_build_object('id', m.id::text, 'verdict', case when m.fate in ('list', 'items', 'steps') then 'failed' else 'skipped' end, 'reason', case m.fate
      when 'skipped' then 'The step "' || m.parent_name || '" was skipped.'
      when 'list' then case when m.parent_verdict = 'succeeded' then 'The result of the step "' || m.parent_name || '" is no array.'
        when m.parent_verdict is null then 'The step "' || m.parent_name || '" has not ended, so there is no list.'
        else 'The step "' || m.parent_name || '" is ' || m.parent_verdict || coalesce(' (' || split_part(m.parent_reason, e'\\n', 1) || ')', '') || ', so there is no list. A retry with { from: "' || m.parent_name || '" } runs that again.' end
      when 'items' then 'The result of the step "' || m.parent_name || '" has ' || m.given || ' items, and a map ${maxMapItems} instances at most.'
      when 'steps' then 'The result of the step "' || m.parent_name || '" has ' || coalesce(m.parent_items, m.given) || ' items, and the run ' || m.root_run || ' of the workflow "' || m.root_workflow || '" may have ${maxFlowSteps} steps with all workflows in it.'
      else 'There is no item.' end))
    from map m where m.id not in (select map from size)) as decided,
  (select json_agg(json_build_object('id', id::text, 'active', active)) from moved) as flows,
  ${toldColumn}`;
}
