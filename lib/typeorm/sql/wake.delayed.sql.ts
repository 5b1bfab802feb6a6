import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 jobs. For fixed delay, in the transaction of the fire: a cursor that waits at infinity for the end of a run
 * which has ended meanwhile would wait for ever. What goes on now will see the cursor when it ends.
 */
export function wakeDelayedSql(t: TableNames): string {
  return `
with moved as (
  update ${t.cursor} c set next_at = ${now} + c.delay_ms * interval '1 millisecond'
  -- In a CASE and not by EXISTS: the planner might look at all cursors that wait, and at all runs.
  where c.job_uid = any ($2::bigint[]) and case when c.next_at = 'infinity' then true else false end
    and (select count(*) from ${t.run} r where r.job_uid = c.job_uid) = 0
  returning c.next_at
),
${tellDue(t, 'cursor', 'select min(next_at) from moved')}
select ${toldColumn}`;
}
