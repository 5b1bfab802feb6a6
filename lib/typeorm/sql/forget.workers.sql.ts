import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms
 *
 * Those that may still hold runs stay until these are released, and the last one that had a handler: it tells who creates jobs that there is one.
 */
export function forgetWorkersSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.worker} where id = any (array(
    select w.id from ${t.worker} w
    where w.lease_until < ${at('$2::float8')} and w.released_at is not null and exists (
      select from ${t.worker} l where l.app = w.app and (l.lease_until, l.id) > (w.lease_until, w.id) and l.handlers @> w.handlers
    )
    for update of w skip locked
  )) returning id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
