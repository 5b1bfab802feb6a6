import { isOpen } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 jobs · $3 runs of one-offs. All runs without verdict, locked: from here on none of them begins or ends.
export function lockRunsSql(t: TableNames): string {
  return `
select id::text, namespace, job_id, worker is not null as running, ${isOpen('r')} is true as open, ${ms(now)} as now from ${t.run} r
where (job_uid = any ($2::bigint[]) or id = any ($3::bigint[])) and verdict is null
order by id for update`;
}
