import type { TableNames } from './table.names.js';

/** A CTE `due_queue` (needs WITH RECURSIVE): the queues in which runs wait, found by jumping from one to the next in the index. */
export function dueQueues(t: TableNames): string {
  const waits = 'r.worker is null and r.due_at is not null';
  return `
due_queue (name) as (
  (select r.queue from ${t.run} r where ${waits} order by r.queue limit 1)
  union all
  select (select r.queue from ${t.run} r where ${waits} and r.queue > q.name order by r.queue limit 1)
  from due_queue q where q.name is not null
)`;
}
