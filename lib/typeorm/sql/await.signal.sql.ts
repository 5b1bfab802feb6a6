import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 fence · $4 worker
 *
 * Notes that this attempt waits for a signal, if the run is in these hands, and keeps signals from coming until the transaction ends. An update and not a lock only: a signal that is sent within a transaction at
 * `repeatable read` must not go by the run as it was before.
 */
export function awaitSignalSql(t: TableNames): string {
  return `
update ${t.run} r set awaiting_fence = r.fence
where r.id = $2::bigint and r.fence = $3::int and r.worker = $4::text and r.verdict is null
returning r.id::text, ${ms(now)} as now`;
}
