import type { TableNames } from './table.names.js';
import { changesOf } from './changes.fragment.js';
import { isOpen } from './open.fragment.js';
import { pauseEndOf } from './pause.end.fragment.js';
import { stopping } from './pauses.fragment.js';
import { waitsForColumn, waitsForRuns } from './run.wait.fragment.js';
import { ms } from './time.fragment.js';

/**
 * Jobs as users see them: the same columns from a recurring job's tables and from a one-off's run. The states are those of
 * lib/model/job.state.ts, which is the rule.
 */
export function jobViews(t: TableNames): { recurring: string; oneOff: string } {
  const until = (row: string, id: string): string => `, ${ms(pauseEndOf(t, row, id))} as paused_until`;
  return {
    recurring: recurring(t, ms, `${until('j', 'id')}, null::text as verdict`),
    oneOff: oneOff(t, ms, `${until('r', 'job_id')}, r.verdict`),
  };
}

/** The same as a view of schema version 4 has them, without what is in tables of later ones. */
export function plainJobViews(t: TableNames): { recurring: string; oneOff: string } {
  const time: Time = (instant) => instant;
  return { recurring: recurring(t, time), oneOff: oneOff(t, time) };
}

/** How an instant is shown. */
type Time = (instant: string) => string;

function recurring(t: TableNames, time: Time, more = ''): string {
  return `
select j.uid, j.namespace, j.id, j.name, j.handler, j.queue, j.priority, j.trigger, j.trigger_type, j.time_zone,
  j.payload, j.metadata, j.policies, j.source, j.app,
  ${time('j.paused_at')} as paused_at, j.paused_reason, j.paused_by,
  case when j.paused_at is not null then 'job' else ${stopping(t, 'j')} end as paused_what, ${time('j.orphaned_at')} as orphaned_at,
  ${changesOf('j')} as changed,
  case when c.next_at < 'infinity' then ${time('c.next_at')} end as next_run_at,
  s.run_count::numeric, s.error_count::numeric, s.consecutive_failures, ${time('s.last_run_at')} as last_run_at,
  s.last_verdict, s.last_error,
  ${time('j.created_at')} as created_at, ${time('j.updated_at')} as updated_at, j.revision,
  case
    when j.orphaned_at is not null then 'orphaned'
    when j.paused_at is not null then 'paused'
    when ${hasRun(t, `r.worker is not null or ${isOpen('r')}`)} then 'running'
    when j.trigger_type <> 'manual' and c.job_uid is null
      and not ${hasRun(t)} then
      case
        when j.trigger_type <> 'at' or s.last_verdict is null or s.last_verdict = 'succeeded' then 'completed'
        when s.last_verdict = 'cancelled' then 'cancelled'
        else 'failed'
      end
    when ${stopping(t, 'j')} is not null then 'paused'
    when s.run_count = 0 then 'pending'
    else 'scheduled'
  end as state, null::json as waits_for, false as is_run${more}
from ${t.job} j join ${t.job_stat} s on s.job_uid = j.uid left join ${t.cursor} c on c.job_uid = j.uid`;
}

/** Looked up by index for each job that comes out: without the offset, the server may read all runs there are for a page of jobs. */
function hasRun(t: TableNames, such = 'true'): string {
  return `exists (select from ${t.run} r where r.job_uid = j.uid and (${such}) offset 0)`;
}

function oneOff(t: TableNames, time: Time, more = ''): string {
  return `
select r.id as uid, r.namespace, r.job_id as id, r.name, r.handler, r.queue, r.priority, r.trigger, coalesce(r.trigger ->> 'type', 'at') as trigger_type, r.time_zone,
  r.payload, r.metadata, r.policies, r.source, r.app,
  ${time('r.paused_at')} as paused_at, r.paused_reason, r.paused_by,
  case when r.verdict is not null then null when r.paused_at is not null then 'job' else ${stopping(t, 'r')} end as paused_what, ${time('null::timestamptz')} as orphaned_at, null::json as changed,
  case when r.worker is null and ${isOpen('r')} is not true then ${time('r.due_at')} end as next_run_at,
  r.run_count::numeric, r.error_count::numeric, r.consecutive_failures, ${time('r.last_run_at')} as last_run_at,
  r.last_verdict, r.last_error,
  ${time('r.created_at')} as created_at, ${time('r.updated_at')} as updated_at, r.revision,
  case
    when r.verdict = 'succeeded' then 'completed'
    when r.verdict = 'cancelled' then 'cancelled'
    when r.verdict is not null then 'failed'
    when r.worker is not null or ${isOpen('r')} then 'running'
    when r.held or ${stopping(t, 'r')} is not null then 'paused'
    when ${waitsForRuns('r')} then 'waiting'
    when r.attempt = 0 then 'pending'
    else 'scheduled'
  end as state, ${waitsForColumn(t, 'r')} as waits_for, true as is_run${more}
from ${t.run} r where r.keyed and r.origin <> 'reserved'`;
}
