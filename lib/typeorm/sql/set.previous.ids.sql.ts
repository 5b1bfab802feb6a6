import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 the ids that it had
export function setPreviousIdsSql(t: TableNames): string {
  return `update ${t.job} set previous_ids = $3 where uid = $2 returning ${ms(now)} as now`;
}
