import { overdueJobs } from './overdue.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 limit of each
 *
 * A row that two delete is returned to one of them, and so is one that two insert: each instant is told once. A row more says whether any job is looked at.
 */
export function noteOverdueSql(t: TableNames): string {
  const columns = 'namespace, job_id, due_at, late_after_ms';
  const told = (kind: string): string =>
    `select '${kind}' as kind, namespace, job_id, ${ms('due_at')} as due_at, late_after_ms::numeric, true as watched, ${ms(now)} as now from ${kind}`;
  return `
with ${overdueJobs(t)},
ended as (
  delete from ${t.overdue} o where o.ctid = any (array(
    select x.ctid from ${t.overdue} x
    where not exists (
      select from late l where l.namespace = x.namespace and l.job_id = x.job_id and l.due_at = x.due_at
    )
    limit $2::bigint
  ))
  returning ${columns}
),
begun as (
  insert into ${t.overdue} (${columns})
  select ${columns} from late l
  where not exists (
    select from ${t.overdue} x where x.namespace = l.namespace and x.job_id = l.job_id and x.due_at = l.due_at
  )
  order by due_at limit $2::bigint
  on conflict do nothing
  returning ${columns}
)
${told('ended')} union all ${told('begun')} union all
select 'look', null, null, null, null, exists (select from watched), ${ms(now)}`;
}
