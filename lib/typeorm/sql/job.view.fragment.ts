import type { TableNames } from './table.names.js';
import { changesOf } from './changes.fragment.js';
import { ms } from './time.fragment.js';

/**
 * Jobs as users see them: the same columns from a recurring job's tables and from a one-off's run. The states are those of
 * lib/model/job.state.ts, which is the rule.
 */
export function jobViews(t: TableNames): { recurring: string; oneOff: string } {
  return { recurring: recurring(t), oneOff: oneOff(t) };
}

function recurring(t: TableNames): string {
  return `
select j.namespace, j.id, j.name, j.handler, j.queue, j.priority, j.trigger, j.trigger_type, j.time_zone,
  j.payload, j.metadata, j.policies, j.source, j.app,
  ${ms('j.paused_at')} as paused_at, j.paused_reason, j.paused_by, ${ms('j.orphaned_at')} as orphaned_at,
  ${changesOf('j')} as changed,
  case when c.next_at < 'infinity' then ${ms('c.next_at')} end as next_run_at,
  s.run_count::float8, s.error_count::float8, s.consecutive_failures, ${ms('s.last_run_at')} as last_run_at,
  s.last_verdict, s.last_error,
  ${ms('j.created_at')} as created_at, ${ms('j.updated_at')} as updated_at, j.revision,
  case
    when j.orphaned_at is not null then 'orphaned'
    when j.paused_at is not null then 'paused'
    when exists (select from ${t.run} r where r.job_uid = j.uid and r.worker is not null) then 'running'
    when j.trigger_type = 'after' then 'waiting'
    when j.trigger_type <> 'manual' and c.job_uid is null
      and not exists (select from ${t.run} r where r.job_uid = j.uid) then 'completed'
    when s.run_count = 0 then 'pending'
    else 'scheduled'
  end as state
from ${t.job} j join ${t.job_stat} s on s.job_uid = j.uid left join ${t.cursor} c on c.job_uid = j.uid`;
}

function oneOff(t: TableNames): string {
  return `
select r.namespace, r.job_id as id, r.name, r.handler, r.queue, r.priority, r.trigger, 'at' as trigger_type, r.time_zone,
  r.payload, r.metadata, r.policies, r.source, r.app,
  ${ms('r.paused_at')} as paused_at, r.paused_reason, r.paused_by, null::float8 as orphaned_at, null::json as changed,
  case when r.worker is null then ${ms('r.due_at')} end as next_run_at,
  r.run_count::float8, r.error_count::float8, r.consecutive_failures, ${ms('r.last_run_at')} as last_run_at,
  r.last_verdict, r.last_error,
  ${ms('r.created_at')} as created_at, ${ms('r.updated_at')} as updated_at, r.revision,
  case
    when r.verdict = 'succeeded' then 'completed'
    when r.verdict = 'cancelled' then 'cancelled'
    when r.verdict is not null then 'failed'
    when r.worker is not null then 'running'
    when r.held then 'paused'
    when r.attempt = 0 then 'pending'
    else 'scheduled'
  end as state
from ${t.run} r where r.keyed and r.origin <> 'reserved'`;
}
