import { defaultPolicies } from '../../model/policies.js';
import { calledRuns, jobColumns, joinedJob } from './called.runs.fragment.js';
import { endings } from './endings.fragment.js';
import { dueQueues } from './due.queues.fragment.js';
import { claimedOnly, parkers } from './held.runs.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

/**
 * $1 time
 *
 * Marking the worker keeps a renewal that has waited meanwhile from reviving the lease. Workers that were released earlier, and those whose row is gone, count
 * too: their claim was committed after that.
 */
export function releaseLostSql(t: TableNames): string {
  return `
with recursive ${dueQueues(t)},
${parkers(t)},
ended as (
  update ${t.worker} w set released_at = ${now}, running = 0
  where w.released_at is null and w.lease_until <= ${now}
  returning w.id
),
-- Seen before anything changes, so a worker that came later has no run that is seen.
alive as materialized (
  select array(select w.id from ${t.worker} w where w.released_at is null and w.id not in (select id from ended)) as ids
),
held as materialized (
  select r.id, r.worker from parker p cross join lateral (
    -- By worker, one after the other: the planner might rather walk through all runs.
    select r.id, r.worker from ${t.run} r where r.parked_by = p.worker offset 0
  ) r where p.worker <> all ((select ids from alive)::text[])
  union all
  select c.id, c.worker from (${claimedOnly(t, `r.worker <> all ((select ids from alive)::text[])`)}) c
),
mine as materialized (
  select r.*, ${jobColumns},
    case
      when r.cancel_requested then 'cancelled'
      when r.last_attempt
        or coalesce(r.policies, j.policies) ->> 'recovery' = 'abandon'
        or r.lost_count + 1 >= coalesce((coalesce(r.policies, j.policies) ->> 'maxLost')::int, ${defaultPolicies.maxLost})
      then 'lost'
    end as ending
  from ${t.run} r ${joinedJob(t)}
  where r.id = any (array(select id from held)) and r.worker = any (array(select worker from held))
  order by r.id for update of r
),
ending as (
  select id, keyed, job_uid, namespace, job_id, origin, retry_of, nominal_at, policies,
    coalesce(claimed_handler, handler) as handler, coalesce(claimed_queue, queue) as queue,
    attempt, fence, worker, started_at, greatest(started_at, ${now}) as finished_at,
    coalesce(ending, 'lost') as outcome, ending is not null as final,
    case when ending is distinct from 'cancelled'
      then 'The lease of the worker ' || worker || ' ended during the run.' end as error,
    null::text as result, true as record,
    attempt as next_attempt, fence as next_fence, lost_count + 1 as next_lost, greatest(due_at, ${now}) as retry_at
  from mine
),
${calledRuns},
${endings(t)}
select ${ms(now)} as now, ended_run.*
from (select) always left join (
  select e.id::text, e.job_uid::text, e.job_id, e.namespace, e.handler, e.worker,
    case when e.final then e.outcome end as verdict, c.run as called, ${toldColumn}
  from ending e left join called c on c.id = e.id
) ended_run on true`;
}
