import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 run. One run without verdict, locked.
export function lockRunSql(t: TableNames): string {
  return `
select id::text, job_uid::text, worker is not null as running, flow is not null as is_flow, ${ms(now)} as now from ${t.run}
where id = $2::bigint and verdict is null and origin <> 'reserved' for update`;
}
