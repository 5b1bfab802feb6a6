import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 one-off's run. All runs without verdict, locked: from here on none of them begins or ends.
export function lockRunsSql(t: TableNames): string {
  return `
select id::text, worker is not null as running, ${ms(now)} as now from ${t.run}
where (job_uid = $2::bigint or id = $3::bigint) and verdict is null
order by id for update`;
}
