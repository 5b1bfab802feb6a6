import { dueQueues } from './due.queues.fragment.js';
import { claimedOnly } from './held.runs.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 worker
export function heldBySql(t: TableNames): string {
  return `
with recursive ${dueQueues(t)}
select held.id::text as "runId", held.fence, ${ms(now)} as now from (
  select id, fence from ${t.run} where parked_by = $2
  union all
  select c.id, c.fence from (${claimedOnly(t, 'r.worker = $2')}) c
) held order by held.id`;
}
