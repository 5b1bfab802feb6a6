import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 jobs · $3 app that they belong to from now on, with what they have of runs
export function takeJobsSql(t: TableNames): string {
  return `
with of_cursor as (update ${t.cursor} set app = $3 where job_uid = any ($2::bigint[])),
of_runs as (update ${t.run} set app = $3 where job_uid = any ($2::bigint[]) or dead_of = any ($2::bigint[]))
update ${t.job} set app = $3 where uid = any ($2::bigint[]) returning ${ms(now)} as now`;
}
