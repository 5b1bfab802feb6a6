import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

// $1 time · $2 minutes, $3 hours, $4 days are kept so long, in ms · $5 limit of each.
export function forgetRollupsSql(t: TableNames): string {
  const tables = [t.stat_minute, t.stat_hour, t.stat_day];
  const steps = tables.map(
    (table, nth) => `gone_${nth} as (
  delete from ${table} where ctid = any (array(
    select ctid from ${table} where start_at < ${after(now, `-$${nth + 2}::float8`)} order by start_at limit $5::bigint
  )) returning 1
)`,
  );
  return `
with ${steps.join(', ')}
select (${tables.map((_, nth) => `(select count(*) from gone_${nth})`).join(' + ')})::int as count`;
}
