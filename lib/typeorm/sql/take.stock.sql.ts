import { mostCounted, mostKeptCounted } from '../../ports/stock.js';
import { cursorHandlers } from './cursor.handlers.fragment.js';
import { dueQueues } from './due.queues.fragment.js';
import { isStopped } from './pauses.fragment.js';
import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/** Of what a handler has due, no more schedules than this are looked at for the first that no pause stops. */
const mostCursors = 100;

/**
 * $1 time
 *
 * Asked for every few seconds by each process that is watched, so it is bounded: queues and handlers are found by jumping from one to the next in the index, and of each no more is read than is counted. What a pause stops is left out
 * after that: it counts among what is read.
 */
export function takeStockSql(t: TableNames): string {
  return `
with recursive ${dueQueues(t)}, ${cursorHandlers(t)},
due as (
  select q.name as queue, found.runs, found.oldest from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
    select count(*) as runs, min(r.due_at) as oldest from (
      select r.due_at, r.handler, r.queue, r.namespace from ${t.run} r
      where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.due_at <= ${now}
      order by r.due_at limit ${mostCounted}
    ) r where not ${isStopped(t, 'r')}
  ) found where found.runs > 0
  union all
  select c.queue, 0, c.next_at from cursor_handler h cross join lateral (
    select c.handler, c.queue, c.namespace, c.next_at from ${t.cursor} c
    where c.handler = h.name and c.next_at <= ${now} order by c.next_at limit ${mostCursors}
  ) c where not ${isStopped(t, 'c')}
),
dead as (
  select r.queue from (select r.queue from ${t.run} r where r.dead_of is not null order by r.dead_of, r.id limit ${mostKeptCounted}) r
  union all
  select r.queue from (
    select r.queue, r.verdict, r.dead_of from ${t.run} r where r.verdict is not null order by r.id desc limit ${mostKeptCounted}
  ) r where r.dead_of is null and r.verdict in ('failed', 'timed_out', 'lost')
),
stock as (
  select s.queue, sum(s.due)::int as due, ${ms('min(s.oldest)')} as "oldestDueAt", sum(s.dead)::int as "deadLetters" from (
    select d.queue, d.runs as due, d.oldest, 0 as dead from due d
    union all select d.queue, 0, null, count(*) from dead d group by d.queue
  ) s group by s.queue
),
put_off as (
  select r.handler, count(*)::int as runs from (
    select r.handler, r.due_at, r.deferred_until, r.worker from ${t.run} r
    where r.deferred_until is not null order by r.handler, r.queue, r.deferred_until limit ${mostKeptCounted}
  ) r where r.deferred_until > ${now} and r.due_at = r.deferred_until and r.worker is null group by r.handler
)
select ${ms(now)} as now,
  (select json_agg(stock order by stock.queue collate "C") from stock) as queues,
  (select json_agg(put_off order by put_off.handler collate "C") from put_off) as unclaimable,
  (select json_build_object('live', count(*) filter (where w.lease_until > ${now}), 'lost', count(*) filter (where w.lease_until <= ${now} and w.running > 0))
    from ${t.worker} w where w.released_at is null) as workers,
  (select json_agg(json_build_object('kind', p.kind, 'scopes', p.scopes) order by p.kind)
    from (select kind, count(*)::int as scopes from ${t.pause} group by kind) p) as pauses`;
}
