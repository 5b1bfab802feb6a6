import { carriedSteps } from './lapsed.wait.fragment.js';
import { runColumns } from './run.view.fragment.js';
import { leftOpen, newRunId } from './step.births.fragment.js';
import type { TableNames } from './table.names.js';
import { after, moment } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 flow, locked · $3 trace
 *
 * Gives a flow another run, which is open. That of a one-off is its row, under a new id, so it has to be there; a recurring job gets one where the old one was cancelled, which leaves no dead letter. The durable steps that have ended go with it, and what begins of it is of the app that has the run by now. No row: the
 * job is gone, or its run.
 */
export function reopenFlowSql(t: TableNames): string {
  return `
with flow as materialized (
  select f.id, f.run_id, f.job_uid, f.nominal_at, case when f.deadline_ms is not null then ${after(moment, 'f.deadline_ms')} end as deadline from ${t.flow} f where f.id = $2::bigint
),
job as materialized (
  select j.* from ${t.job} j where j.uid = (select job_uid from flow) for share
),
old as materialized (
  select r.id, r.verdict from ${t.run} r where r.id = (select run_id from flow) for update
),
born as (
  update ${t.run} r set
    id = ${newRunId(t)}, retry_of = r.id, origin = 'retry', job_uid = f.job_uid, dead_of = null, due_at = f.deadline, attempt = 0, fence = ${leftOpen}, lost_count = 0, lifted = 0, missed = 0, blocks = r.blocks and f.job_uid is null,
    held = false, held_due_at = null, cancel_requested = false, verdict = null, finished_at = null, keep_until = null, last_error = case when f.job_uid is null then r.last_error end, last_fingerprint = case when f.job_uid is null then r.last_fingerprint end,
    opened_fence = ${leftOpen}, opened_at = ${moment}, flow = f.id, paused_at = null, paused_reason = null, paused_by = null, revision = r.revision + 1, updated_at = case when r.updated_at is not null then ${moment} end
  from flow f
  where r.id = (select id from old) and r.verdict <> 'succeeded' and (f.job_uid is null or exists (select from job))
  returning r.*
),
made as (
  insert into ${t.run} (namespace, job_id, keyed, job_uid, origin, handler, queue, priority, nominal_at, due_at, app, retry_of, fence, opened_fence, opened_at, flow)
  select j.namespace, j.id, false, j.uid, 'retry', j.handler, j.queue, j.priority, f.nominal_at, f.deadline, j.app, f.run_id, ${leftOpen}, ${leftOpen}, ${moment}, f.id
  from flow f cross join job j
  where not exists (select from old) and exists (select from ${t.attempt} a where a.run_id = f.run_id and a.final and a.outcome = 'cancelled')
  returning *
),
run as materialized (
  select * from born union all select * from made
),
moved as (
  update ${t.flow} f set run_id = r.id, app = r.app, trace = coalesce($3, f.trace), retry_of = f.run_id, first_run = coalesce(f.first_run, f.run_id), steps = (select count(*) from ${t.flow_step} s where s.flow = f.id), opened_at = ${moment}, ended_at = null, verdict = null, ending_at = null, retry_at = null, ending = null from run r where f.id = $2::bigint
),
moved_waits as (
  update ${t.run_wait} w set parent = r.id, verdict = null, gone = false from run r where w.parent = r.retry_of and w.verdict is distinct from 'succeeded'
),
${carriedSteps(t, { name: 'carried', set: 'run_id = r.id', from: 'run r', where: 's.run_id = r.retry_of' }, moment)},
${tellDue(t, 'run', 'select due_at from run')}
select ${runColumns}, ${toldColumn} from run r`;
}
