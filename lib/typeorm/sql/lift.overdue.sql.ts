import { dueQueues } from './due.queues.fragment.js';
import { isStopped } from './pauses.fragment.js';
import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/**
 * $1 time · $2 limit for each queue and rank
 *
 * The longest overdue of each come first: when they have gone, the next are lifted. Nothing is locked before it is changed, so a claim that comes
 * in between wins; what somebody has locked is left to the next round.
 */
export function liftOverdueSql(t: TableNames): string {
  const minutes = `floor(extract(epoch from ${now} - r.due_at) / 60)`;
  const isOverdue = `${isWaiting('r')} and r.due_at <= ${now} - interval '1 minute'`;
  return `
with recursive ${dueQueues(t)},
overdue as materialized (
  select found.ctid from due_queue q cross join generate_series(1, 9) p (rank) cross join lateral (
    select r.ctid from ${t.run} r
    where r.queue = q.name and ${rankOf('r')} = p.rank and ${isOverdue} and r.lifted < ${minutes} and not ${isStopped(t, 'r')}
    order by r.due_at limit $2
  ) found
),
free as materialized (
  select r.ctid from ${t.run} r where r.ctid = any (array(select ctid from overdue)) for update skip locked
),
lifted as (
  update ${t.run} r set lifted = least(r.priority, ${minutes})::smallint
  where r.ctid = any (array(select ctid from free)) and ${isOverdue}
  returning r.id
)
select count(*)::int as count, ${ms(now)} as now from lifted`;
}
