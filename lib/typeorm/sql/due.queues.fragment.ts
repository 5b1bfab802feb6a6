import type { TableNames } from './table.names.js';
import { isInClaims } from './waiting.fragment.js';

/** A CTE `due_queue` (needs WITH RECURSIVE): the queues in which runs wait or are claimed, found by jumping from one to the next in the index. */
export function dueQueues(t: TableNames): string {
  return `
due_queue (name) as (
  (select r.queue from ${t.run} r where ${isInClaims('r')} order by r.queue limit 1)
  union all
  select (select r.queue from ${t.run} r where ${isInClaims('r')} and r.queue > q.name order by r.queue limit 1)
  from due_queue q where q.name is not null
)`;
}
