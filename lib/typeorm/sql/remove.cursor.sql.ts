import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { notify } from './wake.fragment.js';

// $1 time · $2 job. The job keeps what has fired. What workers wait to begin may not be wanted any more: they are told.
export function removeCursorSql(t: TableNames): string {
  const isAhead = `exists (select from ${t.run} where job_uid = $2::bigint and started_at > ${now})`;
  const told = t.channel === null ? '' : `, ${notify(t, `'change'`, isAhead)} as told`;
  return `
with removed as (
  delete from ${t.cursor} where job_uid = $2::bigint returning job_uid, next_at, fired, fired_until
),
noted as (
  update ${t.job} j set fired = r.fired, fired_until = r.fired_until from removed r where j.uid = r.job_uid
)
select ${ms('next_at')} as next_at, ${ms('fired_until')} as fired_until, ${ms(now)} as now${told} from removed`;
}
