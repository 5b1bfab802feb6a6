import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 the job · $3 or the one-off's run, in arrays. As a JSON object with the names of the columns, and of a run with its traces.
export function readStatisticsSql(t: TableNames): string {
  const columns = `run_count, error_count, consecutive_failures, last_run_at, last_verdict, last_error`;
  return `
select to_json(s) as statistics, ${ms(now)} as now from (
  select ${columns}, null::text as trace_parent, null::text as last_trace from ${t.job_stat} where job_uid = any ($2::bigint[])
  union all
  select ${columns}, trace_parent, last_trace from ${t.run} where id = any ($3::bigint[])
) s`;
}
