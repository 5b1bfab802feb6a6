import { isOpen } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job. What its runs copy from the job; one that goes on notes what it was claimed as, for the ledger.
export function updateRunsSql(t: TableNames): string {
  return `
update ${t.run} r set
  claimed_handler = case when r.worker is not null or ${isOpen('r')} then coalesce(r.claimed_handler, r.handler) end,
  claimed_queue = case when r.worker is not null or ${isOpen('r')} then coalesce(r.claimed_queue, r.queue) end,
  namespace = j.namespace, job_id = j.id, handler = j.handler, queue = j.queue, priority = j.priority, app = j.app
from ${t.job} j where (r.job_uid = $2::bigint or r.dead_of = $2::bigint) and j.uid = $2::bigint
returning ${ms(now)} as now`;
}
