import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 until in ms; null: as if the gap had never been · $4 count, $5 from in ms, $6 verdict, $7 reason; null: as it is. It keeps its place among the gaps: pages are read by it.
export function closeGapSql(t: TableNames): string {
  return `
with job as (
  select uid, open_gap from ${t.job} where uid = $2::bigint
),
ended as (
  update ${t.gap} g
  set until_at = ${at('$3::float8')}, count = coalesce($4::int, g.count), from_at = coalesce(${at('$5::float8')}, g.from_at),
    verdict = coalesce($6, g.verdict), reason = coalesce($7, g.reason)
  from job where g.id = job.open_gap and $3::float8 is not null
),
gone as (
  delete from ${t.gap} g using job where g.id = job.open_gap and $3::float8 is null
)
update ${t.job} j set open_gap = null from job where j.uid = job.uid returning ${ms(now)} as now`;
}
