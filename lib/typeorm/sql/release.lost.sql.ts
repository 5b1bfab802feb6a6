import { defaultPolicies, lossesInCompany } from '../../model/policies.js';
import { calledRuns, jobColumns, joinedJob } from './called.runs.fragment.js';
import { cancelledColumn } from './cancelled.fragment.js';
import { endings } from './endings.fragment.js';
import { flowEndColumn } from './flow.end.fragment.js';
import { dueQueues } from './due.queues.fragment.js';
import { claimedOnly, parkers } from './held.runs.fragment.js';
import { jammed } from './jammed.fragment.js';
import { fullLease, isTooLong, reachedBefore } from './lease.fragment.js';
import { numberOf } from './number.fragment.js';
import { isOpen } from './open.fragment.js';
import { flowKey } from './read.run.flows.sql.js';
import { isAtMostOnce } from './recovery.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

/**
 * `all`: $1 time — `none`: $1 time; ends the workers, and leaves all that they hold — `some`: $1 time · $2 runs, which an earlier release could not touch · $3 those of them that end steps of workflows, as that has found
 *
 * Marking the worker keeps a renewal that has waited meanwhile from reviving the lease. Workers that were released earlier, and those whose row is gone, count
 * too: their claim was committed after that, or somebody else had locked their runs.
 *
 * A lease that was renewed while the clock was ahead is cut to its length from now.
 *
 * A run that has been lost as often as it may be is given up where this statement ends its worker, and finds nothing else in the worker's hands: so nothing else can have ended it. Otherwise, as in company, only
 * when it was lost so often again: of a worker that was ended earlier, others may have been taken back by then.
 *
 * What ends a step of a workflow, or one that is a workflow, writes rows of these as well, which may have to be waited for: it is `left` too, and comes out in `of_flows`, to be told by `$3` of another call.
 *
 * Nothing here waits for a row that somebody else has locked. A worker whose row is locked counts as alive, until the next release. A run that is locked, or whose end could not be
 * written without waiting, is `left`: it stays its dead worker's, so that any worker's release finds it, and comes out by its id, to be tried again alone.
 */
export function releaseLostSql(t: TableNames, which: 'all' | 'none' | 'some'): string {
  const isOfDead = (worker: string): string => `${worker} <> all ((select ids from alive)::text[])`;
  const ended = `
over as materialized (
  select w.id from ${t.worker} w where w.released_at is null and w.lease_until <= ${now} order by w.id for update skip locked
),
too_long as materialized (
  select w.id from ${t.worker} w where w.released_at is null and ${isTooLong('w')} order by w.id for update skip locked
),
cut as (
  update ${t.worker} w set reached = ${reachedBefore('w')}, lease_until = ${fullLease('w')} from too_long where w.id = too_long.id
),
ended as (
  update ${t.worker} w set released_at = ${now}, running = 0 from over where w.id = over.id returning w.id
),`;
  const heldByDead = `
held as materialized (
  select r.id, r.worker from parker p cross join lateral (
    -- By worker, one after the other: the planner might rather walk through all runs.
    select r.id, r.worker from ${t.run} r where r.parked_by = p.worker offset 0
  ) r where ${isOfDead('p.worker')}
  union all
  select c.id, c.worker from (${claimedOnly(t, isOfDead('r.worker'))}) c
)`;
  const given = `
held as materialized (
  select r.id, r.worker from ${t.run} r where r.id = any ($2::bigint[]) and ${isOfDead('r.worker')}
)`;
  return `
with ${which !== 'some' ? `recursive ${dueQueues(t)},${parkers(t)},${ended}` : ''}
-- Seen before anything changes, so a worker that came later has no run that is seen.
alive as materialized (
  select array(
    select w.id from ${t.worker} w where w.released_at is null ${which !== 'some' ? 'and w.id not in (select id from ended)' : ''}
  ) as ids
),
${which !== 'some' ? heldByDead : given},
company as materialized (
  select worker, count(*) as size from held group by worker
),
caught as materialized (
  select r.* from ${t.run} r
  where r.id = any (array(select id from held)) and r.worker = any (array(select worker from held))${which === 'none' ? ' and false' : ''}
  order by r.id for update of r skip locked
),
${jammed(t, 'true')},
seen as materialized (
  select r.*, ${jobColumns}, ${isOpen('r')} is true as open,
    case
      when r.cancel_requested then 'cancelled'
      -- Nobody was executing it.
      when ${isOpen('r')} then null
${which === 'some' ? "      when r.id = any ($3::bigint[]) then 'lost'\n" : ''}      when r.last_attempt
        or ${isAtMostOnce('coalesce(r.policies, j.policies)')}
        or r.lost_count + 1 >= loss.most and (${which === 'all' ? 'c.size = 1 and c.worker in (select id from ended) or' : ''} loss.most = 1 or r.lost_count + 1 >= ${lossesInCompany} * loss.most)
      then 'lost'
    end as ending
  from caught r join company c on c.worker = r.worker ${joinedJob(t)}
  cross join lateral (
    select ${numberOf("coalesce(r.policies, j.policies) ->> 'maxLost'", 'int', defaultPolicies.maxLost)} as most offset 0
  ) loss
  where r.job_uid is null or r.job_uid not in (select job_uid from jammed)
),
mine as materialized (
  select * from seen where ending is null or (flow_step is null and flow is null)${which === 'some' ? ' or id = any ($3::bigint[])' : ''}
),
ending as (
  select id, keyed, job_uid, namespace, job_id, origin, retry_of, nominal_at, policies, flow_step, flow, blocks,
    coalesce(claimed_handler, handler) as handler, coalesce(claimed_queue, queue) as queue,
    attempt, fence, worker, started_at, greatest(started_at, ${now}) as finished_at,
    coalesce(ending, 'lost') as outcome, ending is not null as ends,
    case when ending is distinct from 'cancelled'
      then 'The lease of the worker ' || worker || ' ended during the run.' end as error,
    null::text as fingerprint, null::text as result, not open or ending is not null as records,
    attempt - open::int as next_attempt, fence as next_fence, lost_count + (not open)::int as next_lost, greatest(due_at, ${now}) as retry_at
  from mine
),
${calledRuns},
${endings(t)}
select ${ms(now)} as now, (select json_agg(h.id::text order by h.id) from held h where h.id not in (select id from mine)) as left_over,
  (select json_agg(json_build_object('id', s.id::text, 'flow', ${flowKey('s')})) from seen s where s.id not in (select id from mine)) as of_flows, ended_run.*
from (select) always left join (
  select e.id::text, e.job_uid::text, e.job_id, e.namespace, e.handler, e.worker,
    case when e.final then e.outcome end as verdict, e.final, c.run as called, ${flowEndColumn('e')}, ${cancelledColumn('e', 'e.started_at')}, ${toldColumn}
  from judged e left join called c on c.id = e.id
) ended_run on true`;
}
