import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 run, locked · $3 name · $4 payload · $5 how many may wait to be taken
 *
 * A run that sleeps as its last attempt waits for this signal is due. One whose attempt waits for it and has not come to its end is so when it goes to sleep: `endings` looks at the mark.
 */
export function sendRunSignalSql(t: TableNames): string {
  const sleeps = '(r.worker is null and r.awaiting_fence = r.fence - 1)';
  return `
with of_run as materialized (
  select r.flow is null and not exists (select from ${t.flow_step} s where s.id = r.flow_step and s.kind = 'manual') as heard, r.flow_step
  from ${t.run} r where r.id = $2::bigint
),
sent as (
  insert into ${t.run_signal} (run_id, name, payload, sent_at, flow_step)
  select $2::bigint, $3::text, $4::json, ${now}, o.flow_step from of_run o
  where o.heard and (select count(*) from ${t.run_signal} where run_id = $2::bigint) < $5::int
  returning id
),
woken as (
  update ${t.run} r set
    signalled_fence = case when r.worker is not null then r.fence end,
    due_at = case when ${sleeps} and not r.held then least(r.due_at, ${now}) else r.due_at end,
    held_due_at = case when ${sleeps} and r.held then least(r.held_due_at, ${now}) else r.held_due_at end
  where r.id = $2::bigint and exists (select from sent) and (${sleeps} or (r.worker is not null and r.awaiting_fence = r.fence))
    and exists (select from ${t.run_step} s where s.run_id = r.id and s.signal = $3::text and s.finished_at is null)
  returning case when r.worker is null then r.due_at end as due_at
),
${tellDue(t, 'run', 'select min(due_at) from woken')}
select exists (select from sent) as sent, (select heard from of_run) as heard, ${toldColumn}`;
}
