import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 from · $4 until in ms · $5 verdict · $6 count · $7 reason
export function addGapSql(t: TableNames): string {
  return `
insert into ${t.gap} (job_uid, namespace, job_id, from_at, until_at, verdict, count, reason)
select uid, namespace, id, ${at('$3::float8')}, ${at('$4::float8')}, $5, $6::int, $7 from ${t.job} where uid = $2::bigint
returning ${ms(now)} as now`;
}
