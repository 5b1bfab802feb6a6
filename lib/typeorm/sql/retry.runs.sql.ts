import { unnest } from './arrays.fragment.js';
import { carriedSteps } from './lapsed.wait.fragment.js';
import { runColumns } from './run.view.fragment.js';
import { flowsWithinOf, givenUp, runningWithin } from './running.steps.fragment.js';
import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 runs · $3 delays · $4 the places of steps that this process has given up, and executes all the same · $5 trace
 *
 * A workflow of which a step is in the hands of a worker, or is among these, is passed over: a flow that is over gets no more of these, so what is seen of them before its run is locked is all there can be.
 * The row begins anew under a new id, and its durable steps and signals go with it. The lock on the jobs keeps them from being deleted meanwhile; those that are gone have taken their dead
 * letters with them.
 */
export function retryRunsSql(t: TableNames): string {
  return `
with recursive ${flowsWithinOf(t, flowsOfRuns(t), 'w.top')},
${givenUp(t, '$4::text[]')},
running as materialized (
  select distinct w.top as id ${runningWithin(t)}
),
job as materialized (
  select j.uid from ${t.job} j
  where j.uid in (select dead_of from ${t.run} where id = any ($2::bigint[]) and dead_of is not null)
  order by j.uid for share
),
dead as materialized (
  select r.id, given.delay_ms from ${t.run} r
  join ${unnest(['$2::bigint[]', '$3::float8[]'])} given (id, delay_ms) on given.id = r.id
  where r.id = any ($2::bigint[]) and r.verdict in ('failed', 'timed_out', 'lost')
    and (r.dead_of is null or r.dead_of in (select uid from job))
    and r.id not in (select id from running)
  order by r.id for update of r
),
born as (
  update ${t.run} r set
    id = default, retry_of = r.id, origin = 'retry', job_uid = r.dead_of, dead_of = null,
    due_at = ${after(now, 'dead.delay_ms')}, attempt = 0, fence = 0, lost_count = 0, lifted = 0, missed = 0,
    trace_parent = coalesce($5, r.trace_parent),
    -- Others may wait for it.
    blocks = r.blocks and r.dead_of is null, cancel_requested = false,
    verdict = null, finished_at = null, last_error = case when r.dead_of is null then r.last_error end,
    last_fingerprint = case when r.dead_of is null then r.last_fingerprint end,
    opened_fence = null, opened_at = null, awaiting_fence = null, signalled_fence = null, paused_at = null, paused_reason = null, paused_by = null, revision = r.revision + 1,
    updated_at = case when r.updated_at is not null then ${now} end
  from dead where r.id = dead.id
  returning r.*
),
${carriedSteps(t, { name: 'moved', set: 'run_id = born.id', from: 'born', where: 's.run_id = born.retry_of' }, now)},
moved_waits as (
  update ${t.run_wait} w set parent = born.id, verdict = null, gone = false from born where w.parent = born.retry_of
),
moved_signals as (
  update ${t.run_signal} g set run_id = born.id from born where g.run_id = born.retry_of
),
${tellDue(t, 'run', 'select min(due_at) from born')}
select ${runColumns}, ${toldColumn} from born r order by r.id`;
}

function flowsOfRuns(t: TableNames): string {
  return `select f.run_id, f.id from unnest($2::bigint[]) u (id) cross join lateral (select f.run_id, f.id from ${t.flow} f where f.run_id = u.id offset 0) f`;
}
