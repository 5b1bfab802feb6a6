import { mayBeEndedBy } from './pause.end.fragment.js';
import { isReachable, isRunReachable, openHandlers, openQueues, reach } from './pauses.fragment.js';
import { isTooLong } from './lease.fragment.js';
import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { clock, ms, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/** Of one queue and priority no more rows than this are looked at that are not due yet; beyond them a later time is a good enough answer. */
const window = 1_000;

/**
 * $1 time · $2 worker · $3 queues · $4 handlers · $5 app
 *
 * What is due is passed over until there is a run for this worker, as a claim does. Of what is due later the window may be full of runs that only others can
 * execute: then its last time is answered, though not the next moment: this worker looks again, without spinning.
 * A lease that is too long counts as over: a release cuts it.
 */
export function nextWakeSql(t: TableNames): string {
  const waiting = (when: string): string => `
        select r.due_at, r.handler, r.namespace, r.app, r.worker, r.verdict, r.fence, r.opened_fence, r.flow, r.flow_step from ${t.run} r
        where r.queue = q.queue and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.due_at ${when}
        order by r.due_at`;
  const ahead = `${waiting(`> ${now}`)} limit ${window}`;
  return `
with ${reach(t, '$3', '$4')}
select (select ${ms('min(found.next_at)')} from unnest(${openHandlers}) h (handler) cross join lateral (
    select c.next_at from ${t.cursor} c
    where c.handler = h.handler and c.next_at < 'infinity' and ${isReachable('c', 'queue', '$5::text')}
    order by c.next_at limit 1
  ) found) as cursor_at,
  (select ${ms('min(found.due_at)')} from unnest(${openQueues}) q (queue) cross join generate_series(0, 9) p (rank)
    cross join lateral (
      select coalesce(
        (select due.due_at from (${waiting(`<= ${now}`)}) due where ${isRunReachable('due', '$4', '$5::text')} limit 1),
        (select ahead.due_at from (${ahead}) ahead
          where ${isRunReachable('ahead', '$4', '$5::text')} order by ahead.due_at limit 1),
        (select greatest(max(ahead.due_at), ${now} + interval '1 second') from (${ahead}) ahead having count(*) = ${window})
      ) as due_at
    ) found) as run_at,
  (select ${ms(`min(case when ${isTooLong('w')} then ${now} else w.lease_until end)`)} from ${t.worker} w where w.released_at is null and w.id <> $2) as lease_ends_at,
  (select ${ms('e.until_at')} from ${t.pause_end} e where e.until_at < 'infinity' and ${mayBeEndedBy(t, 'e', '$5::text')}
    order by e.until_at limit 1) as pause_ends_at,
  ${clock} as now`;
}
