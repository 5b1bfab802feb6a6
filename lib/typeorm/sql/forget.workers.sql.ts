import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms · $3 limit · $4 workers to pass over · $5 really
 *
 * Those that may still hold runs stay until these are released, and the last one that had a handler: it tells who creates jobs that there is one.
 */
export function forgetWorkersSql(t: TableNames): string {
  return `
with old as materialized (
  select w.id as key from ${t.worker} w
  where w.lease_until < ${at('$2::float8')} and w.released_at is not null and w.id <> all ($4::text[]) and exists (
    select from ${t.worker} l where l.app = w.app and (l.lease_until, l.id) > (w.lease_until, w.id) and l.handlers @> w.handlers
  )
  order by w.lease_until, w.id limit $3
  for update of w skip locked
),
gone as (
  delete from ${t.worker} where $5::boolean and id = any (array(select key from old)) returning id
)${forgotten('$5')}`;
}
