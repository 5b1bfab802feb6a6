import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 horizon in ms. Those that may still hold runs stay until these are released.
export function forgetWorkersSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.worker} where id = any (array(
    select w.id from ${t.worker} w where w.lease_until < ${at('$2::float8')} and w.released_at is not null for update skip locked
  )) returning id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
