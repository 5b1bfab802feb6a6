import type { TableNames } from './table.names.js';

// The transaction may have begun long ago.
const thisMoment = 'coalesce(to_timestamp($1::float8 / 1000), clock_timestamp())';

/** $1 time · $2 run · $3 fence · $4 worker. Whether the worker has the run, and its lease goes on. */
export function isHeldSql(t: TableNames): string {
  return `
select exists (
  select from ${t.run} r join ${t.worker} w on w.id = r.worker
  where r.id = $2::bigint and r.fence = $3::int and r.worker = $4::text and w.released_at is null and w.lease_until > ${thisMoment}
) as held`;
}
