import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 jobs. Their runs have been dealt with; dead letters go, gaps stay on record.
export function deleteJobSql(t: TableNames): string {
  return `
with gone as (delete from ${t.job} where uid = any ($2::bigint[]) returning uid, namespace, id),
buried as (delete from ${t.run} r using gone where r.dead_of = gone.uid),
uncounted as (delete from ${t.job_stat} s using gone where s.job_uid = gone.uid),
freed as (
  delete from ${t.run} r using gone
  where r.namespace = gone.namespace and r.job_id = gone.id and r.keyed and r.origin = 'reserved'
)
select ${ms(now)} as now from gone`;
}
