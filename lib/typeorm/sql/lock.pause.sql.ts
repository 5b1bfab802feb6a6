import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 kind · $3 name. One resume of a scope at a time.
export function lockPauseSql(t: TableNames): string {
  return `select kind, ${ms(now)} as now from ${t.pause} where kind = $2 and name = $3 for update`;
}
