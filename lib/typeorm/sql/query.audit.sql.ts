import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says. Newest first.
export function queryAuditSql(t: TableNames, where: string): string {
  return `
select id::text, ${ms('at')} as at, action, actor, note, request_id, namespace, job_id, run_id::text, scope_kind, scope_name, details, count, request_key, request,
  ${ms(now)} as now
from ${t.audit} v where ${where} order by v.at desc, v.id desc limit $2::bigint`;
}
