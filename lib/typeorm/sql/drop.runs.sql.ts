import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 runs, locked
export function dropRunsSql(t: TableNames): string {
  return `delete from ${t.run} where id = any ($2::bigint[]) returning id::text, blocks as awaited, ${ms(now)} as now`;
}
