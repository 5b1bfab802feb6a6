import { unnest } from './arrays.fragment.js';
import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 namespaces · $3 ids · $4 first times in ms; null: it has none. Jobs without a cursor, inserted a moment ago by the same transaction, are orphans from the start: the place is in an open gap.
export function orphanInsertedSql(t: TableNames): string {
  return `
with born as (
  select j.uid, j.namespace, j.id, u.at_ms from ${unnest(['$2::text[]', '$3::text[]', '$4::float8[]'])} u (namespace, id, at_ms)
    join ${t.job} j on j.namespace = u.namespace and j.id = u.id
),
opened as (
  insert into ${t.gap} (job_uid, namespace, job_id, from_at, verdict, count, reason)
  select uid, namespace, id, ${at('at_ms')}, 'missed', 0, 'orphaned' from born where at_ms is not null
  returning id, job_uid
)
update ${t.job} j set orphaned_at = ${now}, orphaned_reason = 'undeclared', open_gap = o.id, revision = j.revision + 1
from born b left join opened o on o.job_uid = b.uid where j.uid = b.uid returning ${ms(now)} as now`;
}
