import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 job · $3 the schedule that it has from now on. Whoever calls it has counted the revision. */
export function setTriggerSql(t: TableNames): string {
  return `update ${t.job} set trigger = $3::json, trigger_type = $3::json ->> 'type' where uid = $2::bigint returning ${ms(now)} as now`;
}
