import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 instants fired
export function setFiredSql(t: TableNames): string {
  return `update ${t.job} set fired = $3 where uid = $2 returning ${ms(now)} as now`;
}
