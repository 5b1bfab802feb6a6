import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says. Newest first; the last of a run's rows is the final one.
export function queryAttemptsSql(t: TableNames, where: string): string {
  return `
select run_id::text, job_id, namespace, handler, queue, origin, ${ms('nominal_at')} as nominal_at, attempt, fence, worker, outcome,
  final, ${ms('started_at')} as started_at, ${ms('finished_at')} as finished_at, error, error_fingerprint, result,
  retry_of::text, ${ms(now)} as now
from ${t.attempt} v
where ${where} order by v.finished_at desc, v.run_id desc, v.fence desc, v.final desc limit $2::bigint`;
}
