import { isTimedFlow } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellAhead } from './wake.fragment.js';

/**
 * $1 time · $2 jobs · $3 runs of one-offs
 *
 * Runs that go on are marked too: settle and release find the mark on the row they have locked, and hold the run when it comes back. A workflow that is no step of another goes on, and so does its deadline.
 */
export function holdRunsSql(t: TableNames): string {
  return `
update ${t.run} r set held = true,
  due_at = case when worker is not null then due_at end,
  held_due_at = case when worker is null then coalesce(due_at, held_due_at) end
where (job_uid = any ($2::bigint[]) or id = any ($3::bigint[])) and verdict is null and not held and not (flow_step is null and ${isTimedFlow('r')})
returning ${ms(now)} as now${tellAhead(t, 'r')}`;
}
