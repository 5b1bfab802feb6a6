import { dueQueues } from './due.queues.fragment.js';
import { isOf, isStopped } from './pauses.fragment.js';
import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/**
 * $1 time · $2 how many of each queue and rank are looked at · $3 least delay in ms · $4 longest
 *
 * Only what stands first is in the way of others. What somebody has locked is left to the next round. What a pause stops is left alone: it shall go on at its own time.
 */
export function deferStrandedSql(t: TableNames): string {
  const since = `extract(epoch from ${now} - r.nominal_at) * 1000`;
  const until = after(now, `least(greatest(${since}, $3), $4)::float8`);
  return `
with recursive ${dueQueues(t)},
head as materialized (
  select found.* from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
    select r.ctid, r.handler, r.queue, r.namespace, r.app from ${t.run} r
    where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.due_at <= ${now}
    order by r.due_at limit $2
  ) found
),
stranded as (
  select h.ctid from head h
  where not exists (
    select from ${t.worker} w
    where w.lease_until > ${now} and w.released_at is null and h.queue = any (w.queues) and h.handler = any (w.handlers)
      and ${isOf('h', 'w.app')}
  ) and not ${isStopped(t, 'h')}
),
free as materialized (
  select r.ctid from ${t.run} r where r.ctid = any (array(select ctid from stranded)) for update skip locked
),
deferred as (
  update ${t.run} r set due_at = ${until}, deferred_until = ${until}
  where r.ctid = any (array(select ctid from free)) and r.worker is null and r.due_at <= ${now}
  returning r.app, r.handler, r.queue
)
select app, handler, queue, count(*)::int as runs, ${ms(now)} as now from deferred group by app, handler, queue order by handler, queue, app`;
}
