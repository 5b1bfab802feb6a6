import { ofRecurring } from './of.recurring.fragment.js';
import { births, newRunId } from './step.births.fragment.js';
import { rootPlace, stepPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, moment } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** Of steps as JSON, in their order. */
export const givenSteps = (parameter: string): string => `
given as materialized (
  select g.* from rows from (json_to_recordset(${parameter}::json) as (name text, need int, otherwise text, "delayMs" float8, "allowFailure" boolean, map boolean, kind text, "deadlineMs" float8,
    handler text, queue text, priority smallint, policies json, payload json, parents int)) with ordinality
    g (name, need, otherwise, delay_ms, allow_failure, is_map, kind, deadline_ms, handler, queue, priority, policies, payload, parents, place)
)`;

export const givenColumns =
  'name, need, otherwise, delay_ms, allow_failure, is_map, kind, deadline_ms, handler, queue, priority, policies, payload, parents';

/** `payload` null is the lack of one; an item of a map may be the null of JSON. */
export const givenValues =
  "g.name, g.need, g.otherwise, g.delay_ms, g.allow_failure, g.is_map, g.kind, g.deadline_ms, g.handler, g.queue, g.priority, g.policies, case when json_typeof(g.payload) <> 'null' then g.payload end, g.parents";

/**
 * $1 time · $2 run, locked, which was left open · $3 workflow · $4 version · $5 params · $6 steps as JSON · $7 edges: which of the steps, from 1, is the parent · $8 which the child · $9 whether it may read the result · $10 trace · $11 where it was in an earlier attempt; null: nowhere
 *
 * Makes a flow of a run, which is held no more if it is no step of another (see `holdRunsSql`); no row: it has been one before, in an earlier attempt. Steps that wait for none are released at once. The ids of the steps grow in their order, so edges find them by their number.
 */
export function openFlowSql(t: TableNames): string {
  return `
with opening as materialized (
  select r.id, r.namespace, r.app, r.job_uid, r.retry_of, r.nominal_at, coalesce(r.due_at, r.held_due_at) as deadline, coalesce(r.time_zone, j.time_zone) as time_zone, s.flow as parent, s.root, s.depth, s.paused_at, coalesce(s.place, $11::text, ${rootPlace(t, 'r')}) as place
  from ${t.run} r left join ${ofRecurring(t, 'r.job_uid')} j on true left join lateral (
    select s.flow, coalesce(p.root, p.id) as root, p.depth, p.paused_at, ${stepPlace('s', 'p')} as place from ${t.flow_step} s cross join lateral (select p.* from ${t.flow} p where p.id = s.flow offset 0) p where s.id = r.flow_step offset 0
  ) s on true
  where r.id = $2::bigint
),
${givenSteps('$6')},
opened as (
  insert into ${t.flow} (run_id, active, steps, version, depth, parent, root, retry_of, job_uid, opened_at, paused_at, nominal_at, deadline_ms, workflow, namespace, app, time_zone, place, params, trace)
  select o.id, (select count(*) from given where parents = 0), (select count(*) from given), $4::int, coalesce(o.depth, 0) + 1, o.parent, o.root, o.retry_of, o.job_uid, ${moment}, case when o.paused_at is not null then ${moment} end, o.nominal_at, case when o.deadline is not null then greatest(${ms('o.deadline')} - ${ms(moment)}, 0) end,
    $3, o.namespace, o.app, o.time_zone, o.place, $5::json, $10
  from opening o
  on conflict (run_id) do nothing
  returning *
),
stored as (
  insert into ${t.flow_step} (flow, ${givenColumns}, run_id, released_at)
  select f.id, ${givenValues}, case when g.parents = 0 then ${newRunId(t)} end, case when g.parents = 0 then ${moment} end
  from opened f cross join given g order by g.place
  returning *
),
edges as (
  insert into ${t.flow_edge} (parent, child, data)
  select ids.of[e.parent], ids.of[e.child], e.data
  from unnest($7::int[], $8::int[], $9::boolean[]) e (parent, child, data) cross join (select array(select id from stored order by id) as of from opened) ids
),
${births(t, 'stored s cross join opened f where s.released_at is not null')},
marked as (
  update ${t.run} r set flow = f.id,
    held = r.held and r.flow_step is not null,
    due_at = case when r.held and r.flow_step is null then r.held_due_at else r.due_at end,
    held_due_at = case when r.flow_step is not null then r.held_due_at end
  from opened f where r.id = $2::bigint
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select id::text, active, ${toldColumn} from opened`;
}
