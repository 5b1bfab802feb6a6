import type { TableNames } from './table.names.js';
import { ofRecurring } from './of.recurring.fragment.js';
import { ms } from './time.fragment.js';

/** What a CTE `mine` of runs `r` has to select beside them for `calledRuns`; see `joinedJob`. */
export const jobColumns = `j.uid as job, j.payload as job_payload, j.metadata as job_metadata,
    coalesce(r.policies, j.policies) as all_policies, coalesce(r.time_zone, j.time_zone) as zone`;

/** The recurring job `j` of runs `r`. */
export function joinedJob(t: TableNames): string {
  return `left join ${ofRecurring(t, 'r.job_uid')} j on true`;
}

/** A CTE `called`, after `mine` and `ending`: the runs that end as lost and whose job wants to be called then, as objects of the type CalledRun. */
export const calledRuns = `
called as (
  select m.id, json_build_object(
    'id', m.id::text, 'jobId', m.job_id, 'namespace', m.namespace, 'app', m.app, 'handler', e.handler, 'queue', e.queue,
    'priority', m.priority, 'origin', m.origin, 'nominalAt', ${ms('m.nominal_at')}, 'attempt', e.attempt,
    'timeZone', m.zone, 'policies', m.all_policies,
    'payload', case when m.job is null then m.payload else m.job_payload end,
    'metadata', case when m.job is null then m.metadata else m.job_metadata end,
    'finishedAt', ${ms('e.finished_at')}, 'error', e.error
  ) as run
  from mine m join ending e on e.id = m.id
  where e.ends and e.outcome = 'lost' and not m.last_attempt and m.all_policies ->> 'onFailure' is not null
)`;
