import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 jobs. The runs that others of their job wait for, locked.
export function lockBlockingSql(t: TableNames): string {
  return `
select id::text, worker is not null as running, ${ms(now)} as now from ${t.run}
where job_uid = any ($2::bigint[]) and blocks and verdict is null and origin <> 'backfill'
order by id for update`;
}
