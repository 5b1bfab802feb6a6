import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 runs. Only those that gave up: an id may belong to a run that goes on.
export function discardRunsSql(t: TableNames): string {
  return `
delete from ${t.run} where id in (
  select id from ${t.run} where id = any ($2::bigint[]) and verdict in ('failed', 'timed_out', 'lost')
  order by id for update
)
returning id::text, blocks and dead_of is null as awaited, ${ms(now)} as now`;
}
