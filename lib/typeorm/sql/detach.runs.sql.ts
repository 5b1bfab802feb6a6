import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellAhead } from './wake.fragment.js';

/**
 * $1 time · $2 runs, locked
 *
 * Takes runs out of their job's hands: the id is free, and an attempt that goes on is the last.
 */
export function detachRunsSql(t: TableNames): string {
  return `
update ${t.run} r set keyed = false, job_uid = null, last_attempt = true, held = false,
  due_at = coalesce(due_at, held_due_at), held_due_at = null
where id = any ($2::bigint[]) returning ${ms(now)} as now${tellAhead(t, 'r')}`;
}
