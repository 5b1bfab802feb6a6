import { abandoned } from '../../ports/abandonment.js';
import { unnest } from './arrays.fragment.js';
import { calledRuns, jobColumns, joinedJob } from './called.runs.fragment.js';
import { cancelledColumn } from './cancelled.fragment.js';
import { endings } from './endings.fragment.js';
import { flowEndColumn } from './flow.end.fragment.js';
import { jammed } from './jammed.fragment.js';
import { isOpen } from './open.fragment.js';
import { isAtMostOnce } from './recovery.fragment.js';
import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';
import { toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 run ids · $3 fences · $4 workers · $5 delays · $6 whether also what ends a step of a workflow
 *
 * No attempt was made, so nothing is recorded; but what nobody wants any more ends, and so does, as lost, what must not be handed to a second worker. Nothing here waits for a row
 * that somebody else has locked: what cannot be given back without waiting comes out as `left_over`, untouched, and so does what ends a step of a workflow, unless `$6` says that the caller is ready to wait for those.
 */
export function giveBackSql(t: TableNames): string {
  return `
with given as (
  select u.* from ${unnest(['$2::bigint[]', '$3::int[]', '$4::text[]', '$5::float8[]'])} u (id, fence, worker, delay_ms)
),
held as materialized (
  select r.id from given g join ${t.run} r on r.id = g.id and r.fence = g.fence and r.worker = g.worker where r.started_at is not null
),
caught as materialized (
  select r.*, g.delay_ms, ${jobColumns}, (r.last_attempt and ${isOpen('r')} is not true) or r.cancel_requested as unwanted,
    ${isAtMostOnce('coalesce(r.policies, j.policies)')} and ${isOpen('r')} is not true as once
  from given g join ${t.run} r on r.id = g.id and r.fence = g.fence and r.worker = g.worker ${joinedJob(t)}
  where r.started_at is not null
  order by r.id for update of r skip locked
),
${jammed(t, '(unwanted or once)')},
mine as materialized (
  select * from caught
  where not (unwanted or once) or ((job_uid is null or job_uid not in (select job_uid from jammed)) and ($6::boolean or (flow_step is null and flow is null)))
),
ending as (
  select id, keyed, job_uid, namespace, job_id, origin, retry_of, nominal_at, policies, flow_step, flow, blocks,
    case when unwanted then handler else coalesce(claimed_handler, handler) end as handler,
    case when unwanted then queue else coalesce(claimed_queue, queue) end as queue,
    attempt - 1 as attempt, fence + 1 as fence, case when once and not unwanted then worker end as worker,
    null::timestamptz as started_at, ${now} as finished_at, case when unwanted then 'cancelled' else 'lost' end as outcome,
    unwanted or once as ends, case when once and not unwanted then '${abandoned.unstarted}' end as error,
    null::text as fingerprint, null::text as result, unwanted or once as records,
    attempt - 1 as next_attempt, fence + 1 as next_fence, lost_count as next_lost,
    case when delay_ms > 0 then greatest(due_at, ${after(now, 'delay_ms')}) else due_at end as retry_at
  from mine
),
${calledRuns},
${endings(t)}
select e.id::text, e.fence, e.job_uid::text, e.namespace, e.job_id, e.final, e.final and e.outcome = 'lost' as lost, false as left_over,
  c.run as called, ${flowEndColumn('e')}, ${cancelledColumn('e', 'e.started_at', 2)}, ${toldColumn}
from judged e left join called c on c.id = e.id
union all
select id::text, null, null, null, null, false, false, true, null, null, null, 0 from held where id not in (select id from mine)`;
}
