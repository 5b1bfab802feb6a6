import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 job, which has no cursor: up to where it has fired counts no more. */
export function forgetFiredSql(t: TableNames): string {
  return `update ${t.job} set fired_until = null where uid = $2::bigint returning ${ms(now)} as now`;
}
