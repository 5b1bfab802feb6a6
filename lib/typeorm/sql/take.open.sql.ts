import { claimedColumns } from './claimed.run.fragment.js';
import { isOpen } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, moment } from './time.fragment.js';

/**
 * $1 time · $2 run · $3 who takes it
 *
 * An open run, also out of the hands of a worker that is about to end it. `outside`: for a verdict from there, which a workflow does not get that is ending (nobody has it, and it is cancelled) · `over`: of a workflow that is over, which it ceases to be.
 */
export function takeOpenSql(t: TableNames, to: 'outside' | 'over'): string {
  const isOver = to === 'over';
  return `
with taken as (
  update ${t.run} r set worker = $3, fence = r.fence + 1, attempt = r.attempt + (r.worker is null)::int, started_at = r.opened_at${isOver ? ', flow = null, cancel_requested = false' : ''}
  where r.id = $2::bigint and ${isOpen('r')}${isOver ? '' : ' and (r.flow is null or r.worker is not null or not r.cancel_requested)'}
  returning r.*
)
select ${claimedColumns}, ${ms('r.opened_at')} as opened_at, r.flow_step::text, ${ms(moment)} as now
from taken r left join ${t.job} j on j.uid = r.job_uid`;
}
