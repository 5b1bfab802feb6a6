import { cursorHandlers } from './cursor.handlers.fragment.js';
import { dueQueues } from './due.queues.fragment.js';
import { jobViews } from './job.view.fragment.js';
import { rankOf } from './rank.fragment.js';
import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/** Which jobs are looked at: the first ones by their times, as cursors and the index of claims have them. */
export interface Narrowing {
  /** Conditions on a row of cursors, or of one-offs that wait. */
  where: (row: string) => string;
  /** The parameter that says how many of each kind. */
  count: string;
  /** That of how many are looked at for them, of each handler, and of each rank of each queue. */
  reach: string;
  /** Those of the handlers, and of the time before which it has to be; null: whatever they are. */
  handlers: string | null;
  before: string | null;
  /** That of the time at which the page before has ended; null: there is none. */
  after: string | null;
}

/**
 * $1 time · $2 limit · the rest as `where` says
 *
 * By the next time. There may be a million jobs, so only the first of the index of cursors, handler by handler, and of that of claims, queue by queue and rank by rank, are looked at further. `whole`: there
 * are no others; else those on the page are all there are up to the last of them, but others may follow. Where none is found, one row says so, which has nothing else.
 */
export function queryNextJobsSql(t: TableNames, where: string, narrowing: Narrowing | null): string {
  const { recurring, oneOff } = jobViews(t);
  const cut = `where ${where} and v.next_run_at is not null`;
  const order = 'order by next_run_at, namespace, id limit $2';
  if (narrowing === null) {
    return `
select found.*, ${ms(now)} as now, true as whole from (
  (select * from (${recurring}) v ${cut} ${order})
  union all
  (select * from (${oneOff}) v ${cut} ${order})
) found ${order}`;
  }
  const { count, reach, handlers, before, after } = narrowing;
  // Those at the same time as the last one are all there: the order among them is that of their ids.
  const first = (most: string): string => `fetch first (${most}::bigint) rows with ties`;
  const place = at(`${after}::float8`);
  const isMeant = (time: string): string =>
    [
      `${time} < ${before === null ? "'infinity'" : at(`${before}::float8`)}`,
      ...(after === null ? [] : [`${time} > ${place}`]),
    ].join(' and ');
  const until = (kind: string): string =>
    `(select case when count(*) >= ${count}::bigint then max(at) end from first_${kind})`;
  const among = (kind: string, same: string): string => {
    const uids = `array(select uid from first_${kind})${after === null ? '' : ` || array(${same})`}`;
    return `v.uid = any (${uids}) and v.next_run_at <= coalesce((select ${ms('until')} from horizon), 'infinity')`;
  };
  // Without the offset they may be joined by reading all cursors.
  const sameCursors = `
    select c.job_uid from cursor_handler h cross join lateral (
      select c.job_uid from ${t.cursor} c where c.handler = h.name and c.next_at = ${place} offset 0
    ) c`;
  const sameRuns = `
    select r.id from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
      select r.id from ${t.run} r where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.due_at = ${place}
    ) r`;
  return `
with recursive ${dueQueues(t)}, ${cursorHandlers(t, handlers)},
near_cursor as materialized (
  select c.* from cursor_handler h cross join lateral (
    select c.job_uid, c.next_at, c.namespace, c.handler, c.queue from ${t.cursor} c
    where c.handler = h.name and ${isMeant('c.next_at')}
    order by c.next_at ${first(reach)}
  ) c
),
near_run as materialized (
  select r.*, p.rank from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
    select r.id, r.due_at, r.namespace, r.handler, r.queue from ${t.run} r
    where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.keyed and ${isMeant('r.due_at')}
    order by r.due_at ${first(reach)}
  ) r
),
seen as materialized (
  select min(e.last) as until from (
    select max(next_at) as last from near_cursor group by handler having count(*) >= ${reach}::bigint
    union all
    select max(due_at) from near_run group by queue, rank having count(*) >= ${reach}::bigint
  ) e
),
first_cursor as materialized (
  select c.job_uid as uid, c.next_at as at from near_cursor c
  where c.next_at <= coalesce((select until from seen), 'infinity') and ${narrowing.where('c')}
  order by c.next_at ${first(count)}
),
first_run as materialized (
  select r.id as uid, r.due_at as at from near_run r
  where r.due_at <= coalesce((select until from seen), 'infinity') and ${narrowing.where('r')}
  order by r.due_at ${first(count)}
),
horizon as materialized (
  select least((select until from seen), ${until('cursor')}, ${until('run')}) as until
)
select found.*, ${ms(now)} as now, horizon.until is null as whole from horizon left join lateral (
  select * from (
    (select * from (${recurring}) v ${cut} and ${among('cursor', sameCursors)} ${order})
    union all
    (select * from (${oneOff}) v ${cut} and ${among('run', sameRuns)} ${order})
  ) either ${order}
) found on true order by next_run_at, namespace, id`;
}
