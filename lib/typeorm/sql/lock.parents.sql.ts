import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 namespaces · $3 ids. The rows that hold these ids, locked: from here on none of these one-offs begins or ends. */
export function lockParentsSql(t: TableNames): string {
  return `
select r.id::text, r.namespace, r.job_id, r.origin = 'reserved' as recurs, r.verdict, ${ms(now)} as now
from ${t.run} r
where r.id = any (array(
    select r.id from unnest($2::text[], $3::text[]) u (namespace, id)
      cross join lateral (select r.id from ${t.run} r where r.namespace = u.namespace and r.job_id = u.id and r.keyed offset 0) r
  )) and r.keyed
order by r.id for update`;
}

/** $1 time · $2 namespace · $3 id. What the last run of a one-off that is gone has ended as, by the ledger. */
export function readLastVerdictSql(t: TableNames): string {
  return `
select a.outcome as verdict, ${ms(now)} as now from ${t.attempt} a
where a.namespace = $2 and a.job_id = $3 and a.final order by a.finished_at desc limit 1`;
}
