import { isOf, reach } from './pauses.fragment.js';
import { births, goesOn, jobIdOf, newRunId } from './step.births.fragment.js';
import { stepPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, moment, quickMs } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** Whether a verdict counts as good. */
export const isGood = (step: string, verdict = `${step}.verdict`): string =>
  `(${verdict} in ('succeeded', 'skipped') or ${step}.allow_failure)`;

/**
 * $1 time · $2 steps · $3 the run that each has ended by, null: none · $4 how · $5 reasons · $6 results · $7 further steps to look at · `to` a worker: $8 that · $9 queues · $10 handlers · $11 app · $12 room · after `lockFlowsSql`
 *
 * Writes the verdicts of steps, counts them for all that waits for them, and decides: what is released gets its run; what is skipped or cancelled by that, and a map whose last instance has ended, comes out as `decided`, to be passed to the next call;
 * a map that is released comes out as one of `maps`, for `expandMapsSql`, or of `resumed`, for `resumeMapsSql`, if it has instances already. A step that waits again after a retry goes on where its run before was: the two come out as one of `carried`, for `carryRunsSql`, and it is nobody's yet. `flows`: those that have more or fewer steps under way than before. A flow that is over, or ending, decides nothing.
 *
 * `to`: who may begin what is released. A worker gets in its hands what it could claim now, as far as it has room, and nobody else is told of that: it comes out as `handed`. It reads the tables of workers and pauses, which others may have locked: whoever must not wait for these has it born for anybody.
 *
 * A verdict is counted once, as it is only written where there is none, and by the latest run of the step. The cost depends on the edges of what has ended, not on the size of the flow. Rows are found by LATERAL, as the planner, which does not know how many there are, would
 * rather read small tables from one end to the other, and these grow quickly; and no two of the sets here are joined, as it might do that row by row: what is about the same step is brought together by GROUP BY. What is updated is found by its place for the same reason.
 */
export function advanceFlowsSql(t: TableNames, to: 'anybody' | 'worker'): string {
  const isHanded = to === 'worker';
  return `
with ${isHanded ? hands(t) : ''}ended as materialized (
  select u.id, u.verdict, u.reason, u.result, s.flow, s.map_of, s.released_at is not null and s.map_of is null as was_active, ${isGood('s', 'u.verdict')} as good
  from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[]) u (id, run_id, verdict, reason, result)
    cross join lateral (
      select s.flow, s.map_of, s.released_at, s.allow_failure from ${t.flow_step} s where s.id = u.id and s.verdict is null and (u.run_id is null or s.run_id = u.run_id and s.released_at is not null) offset 0
    ) s
),
told_of as materialized (
  select n.id, max(n.verdict) as verdict, max(n.reason) as reason, max(n.result) as result,
    sum(n.ok)::int as ok, sum(n.bad)::int as bad, sum(n.skipped)::int as skipped, sum(n.items_ok)::int as items_ok, sum(n.items_bad)::int as items_bad
  from (
    select e.id, e.verdict, e.reason, e.result, 0 as ok, 0 as bad, 0 as skipped, 0 as items_ok, 0 as items_bad from ended e
    union all
    select c.child, null, null, null, e.good::int, (not e.good)::int, (e.verdict = 'skipped')::int, 0, 0
    from ended e cross join lateral (select c.child from ${t.flow_edge} c where c.parent = e.id offset 0) c where e.map_of is null
    union all
    select e.map_of, null, null, null, 0, 0, 0, e.good::int, (not e.good)::int from ended e where e.map_of is not null
    union all
    select u.id, null, null, null, 0, 0, 0, 0, 0 from unnest($7::bigint[]) u (id)
  ) n group by n.id
),
counted as materialized (
  select c.place, c.id, c.flow, c.name, c.nth, c.kind, c.handler, c.queue, c.priority, c.policies, c.delay_ms, c.deadline_ms, c.is_map, c.released_at, c.otherwise, c.need, c.parents, c.items, c.run_id as before,
    coalesce(n.verdict, c.verdict) as verdict, n.verdict is not null as has_ended, n.reason, case when n.verdict = 'succeeded' then n.result end as result,
    c.ok + n.ok as ok, c.bad + n.bad as bad, c.skipped + n.skipped as skipped, c.items_ok + n.items_ok as items_ok, c.items_bad + n.items_bad as items_bad
  from told_of n cross join lateral (select c.ctid as place, c.* from ${t.flow_step} c where c.id = n.id offset 0) c
),
fated as materialized (
  select c.*, case
      when c.verdict is not null then null
      when c.released_at is not null then case when c.is_map and c.items_ok + c.items_bad = c.items then 'end' end
      when f.is_left then null
      when c.skipped > 0 and c.skipped = c.parents then 'skip'
      when c.ok - c.skipped >= ${wanted} or (c.otherwise = 'run' and c.ok + c.bad = c.parents) then case when not c.is_map then 'run' when c.items is null then 'map' else 'resume' end
      when c.otherwise = 'cancel' and c.parents - c.skipped - c.bad < ${wanted} then 'cancel'
    end as fate
  from counted c cross join lateral (select f.verdict is not null or f.ending_at is not null as is_left from ${t.flow} f where f.id = c.flow offset 0) f
),
ruled as materialized (
  select f.*, case when f.fate = 'run' then ${newRunId(t)} end as run_id, ${isHanded ? isHandedOver : 'false'} as handed from ${isHanded ? fitting(t) : 'fated'} f
),
written as (
  update ${t.flow_step} s set
    verdict = r.verdict, ended_at = case when r.has_ended then ${moment} else s.ended_at end, reason = case when r.has_ended then r.reason else s.reason end,
    result = case when r.has_ended then r.result::json else s.result end, result_size = case when r.has_ended then coalesce(length(r.result), 0) else s.result_size end,
    ok = r.ok, bad = r.bad, skipped = r.skipped, items_ok = r.items_ok, items_bad = r.items_bad,
    run_id = coalesce(r.run_id, s.run_id), released_at = case when r.fate in ('run', 'resume') then ${moment} else s.released_at end
  from ruled r where s.ctid = any (array(select place from ruled)) and s.id = r.id
),
${births(t, `ruled s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f where s.fate = 'run'`, isHanded ? '$8::text' : null, carriedFence)},
change as materialized (
  select f.place, c.flow, c.by
  from (
    select b.flow, sum(b.by)::int as by from (select flow, -1 as by from ended where was_active union all select flow, 1 from ruled where fate in ('run', 'resume')) b group by b.flow having sum(b.by) <> 0
  ) c cross join lateral (select f.ctid as place from ${t.flow} f where f.id = c.flow offset 0) f
),
moved as (
  update ${t.flow} f set active = f.active + c.by from change c where f.ctid = any (array(select place from change)) and f.id = c.flow
  returning f.id, f.active
),
${tellDue(t, 'run', 'select min(due_at) from born where worker is null')}
select
  (select json_agg(json_build_object('id', id::text, 'verdict', case fate when 'skip' then 'skipped' when 'cancel' then 'cancelled' else case when items_bad = 0 then 'succeeded' else 'failed' end end,
    'reason', case when fate = 'skip' then 'All of its parents were skipped.' when fate = 'end' and items_bad > 0 then items_bad || ' of its ' || items || ' instances have not ended well.' end))
    from ruled where fate in ('skip', 'cancel', 'end')) as decided,
  (select json_agg(id::text order by id) from ruled where fate = 'map') as maps,
  (select json_agg(id::text order by id) from ruled where fate = 'resume') as resumed,
  (select json_agg(json_build_object('before', before::text, 'runId', run_id::text)) from ruled where fate = 'run' and before is not null) as carried,
  (select json_agg(json_build_object('id', id::text, 'active', active)) from moved) as flows,
  ${isHanded ? handedColumns(t) : ''}${toldColumn}`;
}

/** How many parents a step needs: one that was skipped is as if it were not there. */
const wanted = 'least(c.need, c.parents - c.skipped)';

const carriedFence = `case when s.before is null then 0 else ${goesOn} end`;

/** CTEs: what the worker may take, if its lease is valid; else no row. */
function hands(t: TableNames): string {
  return `${reach(t, '$9', '$10')},
hands as materialized (
  select r.* from ${t.worker} w cross join reach r where w.id = $8::text and w.lease_until > ${moment} and w.released_at is null
),
`;
}

/** Of what is ruled, whether the worker could claim it now. */
function fitting(t: TableNames): string {
  const open = (column: string): string => `(select ${column} from hands)::text[]`;
  return `(
    select f.*, coalesce(f.fate = 'run' and f.before is null and f.kind = 'handler' and f.delay_ms = 0 and f.queue = any (${open('queues')}) and f.handler = any (${open('handlers')})
      and (select w.paused_at is null and w.namespace <> all (${open('closed')}) and ${isOf('w', '$11::text')} from ${t.flow} w where w.id = f.flow offset 0), false) as fits
    from fated f
  )`;
}

const isHandedOver =
  'f.fits and row_number() over (partition by f.fits order by f.priority, f.id) <= $12::int';

/** `handed`: rows of the type HandedRun · `born_at`: when the first one of the others is due. */
function handedColumns(t: TableNames): string {
  return `(select json_agg(json_build_object('id', s.run_id::text, 'jobId', ${jobIdOf('s', 'f')}, 'namespace', f.namespace, 'app', f.app, 'handler', s.handler, 'queue', s.queue, 'priority', s.priority, 'timeZone', f.time_zone,
    'policies', s.policies, 'dueAt', ${quickMs(moment)}, 'flowRunId', f.run_id::text, 'workflow', f.workflow, 'version', f.version, 'name', s.name, 'nth', nullif(s.nth, -1), 'depth', f.depth, 'place', ${stepPlace('s', 'f')}, 'params', f.params, 'payload', coalesce(p.payload, f.params)) order by s.priority, s.id)
    from ruled s cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f
      cross join lateral (select p.payload from ${t.flow_step} p where p.id = s.id offset 0) p
    where s.handed) as handed,
  (select ${ms('min(due_at)')} from born where worker is null) as born_at,
  `;
}
