import { plainJobViews } from './job.view.fragment.js';
import { stopping } from './pauses.fragment.js';
import { runAttempt, runDueAt, runStartedAt, runState } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';

/** What people read: jobs and runs with their states in words, as `SchedulerService` tells them. */
export function viewStatements(t: TableNames, create: 'create view' | 'create or replace view'): string[] {
  return [
    `${create} ${jobsView(t)}`,
    `${create} ${runsView(t)}`,
    `create or replace view ${runStepsView(t)}`,
    `create or replace view ${flowsHistoryView(t)}`,
    `create or replace view ${flowStepsHistoryView(t)}`,
  ];
}

function jobsView(t: TableNames): string {
  const { recurring, oneOff } = plainJobViews(t);
  return `${t.qualified('jobs_view')} as
      select v.namespace, v.id, v.name, v.state, v.paused_what as paused_by, v.next_run_at, v.last_run_at, v.last_verdict, v.last_error,
        v.run_count::bigint as run_count, v.error_count::bigint as error_count, v.consecutive_failures,
        v.handler, v.queue, v.priority, v.app, v.source, v.trigger_type, v.trigger, v.time_zone, v.payload, v.metadata, v.policies,
        v.paused_at, v.paused_reason, v.paused_by as paused_who, v.orphaned_at, v.changed, v.created_at, v.updated_at, v.waits_for
      from (${recurring} union all ${oneOff}) v`;
}

function runStepsView(t: TableNames): string {
  return `${t.qualified('run_steps_view')} as
      select s.run_id, r.namespace, r.job_id, s.name, s.kind, s.position,
        case
          when s.timed_out then 'timed_out'
          when s.finished_at is not null then 'ended'
          when s.kind = 'sleep' then 'sleeping'
          when s.kind = 'signal' then 'waiting'
          when s.wait_until is not null then 'retrying'
          else 'failed'
        end as state,
        s.attempt, s.started_at, s.finished_at,
        case when s.finished_at is null then s.wait_until end as waits_until,
        case when s.finished_at is null then s.signal end as waits_for,
        s.failures, s.error, s.result
      from ${t.run_step} s left join ${t.run} r on r.id = s.run_id`;
}

function flowsHistoryView(t: TableNames): string {
  return `${t.qualified('flows_history_view')} as
      select f.run_id, f.namespace, f.workflow, f.version, f.verdict, f.app, f.opened_at, f.ended_at, f.archived_at, f.retry_of, f.params,
        (
          select json_object_agg(c.state, c.count)
          from (select coalesce(s.verdict, 'blocked') as state, count(*) as count from ${t.flow_step_history} s where s.flow = f.id group by 1) c
        ) as counts
      from ${t.flow_history} f`;
}

function flowStepsHistoryView(t: TableNames): string {
  return `${t.qualified('flow_steps_history_view')} as
      select f.run_id as flow_run_id, f.namespace, f.workflow, f.version, s.name, nullif(s.nth, -1) as nth, coalesce(s.verdict, 'blocked') as state,
        array(
          select p.name from ${t.flow_edge_history} e join ${t.flow_step_history} p on p.id = e.parent where e.child = s.id order by p.id
        ) as after,
        s.kind, s.handler, s.run_id, s.released_at, s.ended_at, s.reason, s.result, f.archived_at
      from ${t.flow_step_history} s join ${t.flow_history} f on f.id = s.flow`;
}

function runsView(t: TableNames): string {
  const waits = 'r.verdict is null and r.worker is null';
  return `${t.qualified('runs_view')} as
      select r.id, r.namespace, r.job_id, ${runState} as state,
        case when r.verdict is not null then null when r.held then 'job' else ${stopping(t, 'r')} end as paused_by,
        r.nominal_at, ${runDueAt} as due_at,
        case when ${waits} and r.due_at < now() then now() - r.due_at end as late_by,
        ${runStartedAt} as started_at, r.finished_at, r.worker, ${runAttempt} as attempt, r.lost_count, r.last_error,
        r.handler, r.queue, r.priority, r.app, r.origin, r.missed, r.retry_of, r.flow_step, r.flow
      from ${t.run} r where r.origin <> 'reserved'`;
}
