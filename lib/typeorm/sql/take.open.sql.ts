import { claimedColumns } from './claimed.run.fragment.js';
import { isOpen } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, moment } from './time.fragment.js';

// $1 time · $2 run · $3 who takes it. An open run, also out of the hands of a worker that is about to end it.
export function takeOpenSql(t: TableNames): string {
  return `
with taken as (
  update ${t.run} r set worker = $3, fence = r.fence + 1, attempt = r.attempt + (r.worker is null)::int, started_at = r.opened_at
  where r.id = $2::bigint and ${isOpen('r')}
  returning r.*
)
select ${claimedColumns}, ${ms('r.opened_at')} as opened_at, r.flow_step::text, ${ms(moment)} as now
from taken r left join ${t.job} j on j.uid = r.job_uid`;
}
