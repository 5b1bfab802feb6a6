import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 app that it belongs to from now on, with what it has of runs
export function takeJobSql(t: TableNames): string {
  return `
with of_cursor as (update ${t.cursor} set app = $3 where job_uid = $2),
of_runs as (update ${t.run} set app = $3 where job_uid = $2 or dead_of = $2)
update ${t.job} set app = $3 where uid = $2 returning ${ms(now)} as now`;
}
