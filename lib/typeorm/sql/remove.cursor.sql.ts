import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job. The job keeps how many instants have fired.
export function removeCursorSql(t: TableNames): string {
  return `
with removed as (
  delete from ${t.cursor} where job_uid = $2 returning job_uid, next_at, fired
),
noted as (
  update ${t.job} j set fired = r.fired from removed r where j.uid = r.job_uid
)
select ${ms('next_at')} as next_at, ${ms(now)} as now from removed`;
}
