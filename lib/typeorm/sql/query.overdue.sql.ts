import { overdueJobs } from './overdue.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 limit · $3 namespace; null: all
 *
 * A row more says whether any job is looked at.
 */
export function queryOverdueSql(t: TableNames): string {
  return `
with ${overdueJobs(t)}
select null as namespace, null as job_id, null as due_at, null::numeric as late_after_ms, exists (select from watched) as watched, ${ms(now)} as now
union all (
  select l.namespace, l.job_id, ${ms('l.due_at')}, l.late_after_ms::numeric, true, ${ms(now)}
  from late l where $3::text is null or l.namespace = $3
  order by l.due_at, l.namespace, l.job_id limit $2::bigint
)`;
}
