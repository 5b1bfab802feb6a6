import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says. Newest first.
export function queryGapsSql(t: TableNames, where: string): string {
  return `
select id::text, job_id, namespace, ${ms('from_at')} as from_at, ${ms('until_at')} as until_at, verdict, count, reason,
  ${ms(now)} as now
from ${t.gap} v where ${where} order by v.id desc limit $2::bigint`;
}
