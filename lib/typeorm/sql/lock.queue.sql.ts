import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job. Its backfilled runs that are not through, of those that run one after the other, locked.
export function lockQueueSql(t: TableNames): string {
  return `
select id::text, ${ms(now)} as now from ${t.run}
where job_uid = $2::bigint and origin = 'backfill' and blocks and verdict is null
order by id for update`;
}
