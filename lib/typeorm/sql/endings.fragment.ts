import { lostFingerprint } from '../../ports/fingerprint.js';
import { maxFlowResult } from '../../ports/storage.adapter.js';
import { numberOf } from './number.fragment.js';
import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';
import { tellDue } from './wake.fragment.js';

/**
 * What every end of an attempt has in common, as CTEs after one named `ending`. Its rows are locked runs with what shall become of them:
 *
 * `id, keyed, job_uid, namespace, job_id, handler, queue, origin, retry_of, nominal_at, policies, flow_step, flow, blocks` of the run (policies null: the job's) ·
 * `attempt, fence, worker, started_at, finished_at, outcome, ends, error, fingerprint, result` for the ledger, if it `records` ·
 * `next_attempt, next_fence, next_lost, retry_at` for the run that goes on. One that was open stays so, unless it `records` how it was tried to be ended.
 *
 * A run that is a workflow is not touched where it would end: it `leaves`, which `flowEndColumn` tells, and ends once none of its steps is in the hands of a worker. So it is neither `final` nor on `record` here.
 *
 * A run that ends goes, unless it is a dead letter, or a one-off to be kept by its `keepMs`; under `none` the ledger gets nothing. Recurring jobs get their statistics, and
 * those with a fixed delay their next time. Others are told of what is due soon; the statement has to read `told`.
 *
 * Nothing here touches the tables of workflows: what they have to know comes out by `flowEndColumn` of `judged`, and is told by statements after this one, see `conclude`. So whoever has locked them keeps nobody else from ending.
 *
 * Every final end of a recurring job's run writes the one row of the job's statistics before `unblockSql` looks, in the same transaction. Two runs that others wait for and that end at the same moment come one
 * after the other there, so that the second sees the first gone. Without it each would see the other still going, and nobody would let go of what waits.
 */
export function endings(t: TableNames): string {
  return `
judged as (
  select e.*, e.ends and not e.leaves as final, e.records and not e.leaves as record, e.outcome in ('failed', 'timed_out', 'lost') as failure,
    case when e.outcome = 'lost' then '${lostFingerprint}' when e.outcome in ('failed', 'timed_out') then e.fingerprint end as error_fingerprint,
    e.records and not e.leaves and e.started_at is not null and e.outcome not in ('handed_back', 'snoozed', 'opened') as counted,
    coalesce(e.policies ->> 'keepMs', '0') as keep_ms,
    e.ends and not e.leaves and case
      when e.outcome in ('failed', 'timed_out', 'lost') then not e.keyed and e.job_uid is null
      else not e.keyed or coalesce(e.policies ->> 'keepMs', '0') in ('0', 'none')
    end as goes
  from (
    select e.*, e.flow is not null and e.records and e.outcome not in ('handed_back', 'snoozed', 'opened') as leaves from ending e
  ) e
),
gone as (
  delete from ${t.run} r using judged e where r.id = e.id and e.goes
),
kept as (
  update ${t.run} r set
    worker = null, parked_by = null, started_at = null, claimed_handler = null, claimed_queue = null,
    job_uid = case when not e.final then r.job_uid end, dead_of = case when e.final then e.job_uid end,
    attempt = e.next_attempt, fence = e.next_fence, lost_count = e.next_lost, lifted = 0,
    due_at = case when not e.final and not r.held then e.retry_at end,
    held = r.held and not e.final,
    held_due_at = case when not e.final and r.held then e.retry_at end,
    verdict = case when e.final then e.outcome end,
    finished_at = case when e.final then e.finished_at end,
    keep_until = case when e.final and not e.failure and e.keep_ms <> 'forever'
      then ${after(now, numberOf('e.keep_ms', 'float8', 0))} end,
    run_count = r.run_count + e.counted::int,
    error_count = r.error_count + (e.record and e.failure)::int,
    consecutive_failures = case
      when not e.final then r.consecutive_failures
      when e.outcome = 'succeeded' then 0
      else r.consecutive_failures + e.failure::int end,
    last_run_at = case when e.counted then e.started_at else r.last_run_at end,
    last_verdict = case when e.final then e.outcome else r.last_verdict end,
    last_error = case when e.failure then e.error else r.last_error end,
    last_fingerprint = case when e.failure then e.error_fingerprint else r.last_fingerprint end,
    opened_fence = case
      when e.final then null
      when e.outcome = 'opened' then e.next_fence
      when not e.record and r.opened_fence = r.fence - 1 then e.next_fence end,
    opened_at = case when e.outcome = 'opened' then e.started_at else r.opened_at end,
    flow = case when not e.final and e.outcome <> 'opened' then r.flow end
  from judged e where r.id = e.id and not e.goes and not e.leaves
  returning r.due_at
),
ledger as (
  insert into ${t.attempt} (run_id, job_uid, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, outcome, final, started_at, finished_at, error, error_fingerprint, result, retry_of)
  select id, job_uid, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence,
    worker, outcome, final, started_at, finished_at, error, error_fingerprint,
    case when flow_step is null or length(result) <= ${maxFlowResult} then result::json end, retry_of
  from judged where record and keep_ms <> 'none'
),
counted as (
  update ${t.job_stat} s set
    run_count = s.run_count + n.runs,
    error_count = s.error_count + n.errors,
    -- s: succeeded, f: failed, in the order of time. What counts comes after the last s. One that was retried by hand is the same occurrence.
    consecutive_failures = case when n.trail like '%s%' then 0 else s.consecutive_failures end
      + length(substring(coalesce(n.trail, '') from '[^s]*$')),
    last_run_at = coalesce(n.last_run_at, s.last_run_at),
    last_verdict = coalesce(n.last_verdict, s.last_verdict),
    last_error = coalesce(n.last_error, s.last_error)
  from (
    select job_uid,
      count(*) filter (where counted) as runs,
      count(*) filter (where failure) as errors,
      max(started_at) filter (where counted) as last_run_at,
      (array_agg(outcome order by finished_at desc, id desc) filter (where final))[1] as last_verdict,
      (array_agg(error order by finished_at desc, id desc) filter (where failure))[1] as last_error,
      string_agg(case when outcome = 'succeeded' then 's' when failure and origin <> 'retry' then 'f' else '' end, ''
        order by finished_at, id) filter (where final) as trail
    from judged where job_uid is not null and record and outcome not in ('handed_back', 'snoozed', 'opened')
    group by job_uid order by job_uid
  ) n where s.job_uid = n.job_uid
),
-- Locks the cursor also where it is not at infinity (yet): a fire that sees this run still going may be about to put it there.
delayed as (
  update ${t.cursor} c
  set next_at = case when c.next_at = 'infinity' then ${after('e.ended_at', 'c.delay_ms')} else c.next_at end
  from (
    select job_uid, max(least(finished_at, ${now})) as ended_at
    from judged where final and job_uid is not null group by job_uid order by job_uid
  ) e where c.job_uid = e.job_uid and c.delay_ms is not null
  returning c.next_at
),
${tellDue(t, 'due', 'select min(at) from (select due_at as at from kept union all select next_at from delayed) soon')}`;
}
