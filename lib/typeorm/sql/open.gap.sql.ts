import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 from in ms · $4 verdict · $5 reason. A job has at most one open gap: the first stays.
export function openGapSql(t: TableNames): string {
  return `
with opened as (
  insert into ${t.gap} (job_uid, namespace, job_id, from_at, verdict, count, reason)
  select uid, namespace, id, ${at('$3::float8')}, $4, 0, $5 from ${t.job} where uid = $2::bigint and open_gap is null
  returning id, job_uid
)
update ${t.job} j set open_gap = o.id from opened o where j.uid = o.job_uid returning ${ms(now)} as now`;
}
