import { runColumns } from './run.view.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says. Newest first: ids only grow.
export function queryRunsSql(t: TableNames, where: string): string {
  return `
select v.*, ${ms(now)} as now
from (select ${runColumns}, r.id as number, r.job_uid, r.keyed, r.verdict,
    r.finished_at as ended_at from ${t.run} r where r.origin <> 'reserved') v
where ${where} order by v.number desc limit $2::bigint`;
}
