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
  /** That of the time at which the page before has ended; null: there is none. */
  after: string | null;
}

/**
 * $1 time · $2 limit · the rest as `where` says
 *
 * By the next time. There may be a million jobs, so only the first of the narrow table of cursors, and of the index of claims, queue by queue and rank by rank, are looked at further. `whole`: there
 * are no others; else those on the page are all there are up to the last of them, but others may follow.
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
  const { count, after } = narrowing;
  // Those at the same time as the last one are all there: the order among them is that of their ids.
  const first = `fetch first (${count}::bigint) rows with ties`;
  const place = at(`${after}::float8`);
  const isLater = (time: string): string => (after === null ? 'true' : `${time} > ${place}`);
  const until = (kind: string): string =>
    `(select case when count(*) >= ${count}::bigint then max(at) end from first_${kind})`;
  const among = (kind: string, same: string): string => {
    const uids = `array(select uid from first_${kind})${after === null ? '' : ` || array(${same})`}`;
    return `v.uid = any (${uids}) and v.next_run_at <= coalesce((select ${ms('until')} from horizon), 'infinity')`;
  };
  const sameCursors = `select c.job_uid from ${t.cursor} c where c.next_at = ${place}`;
  const sameRuns = `
    select r.id from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
      select r.id from ${t.run} r where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.due_at = ${place}
    ) r`;
  return `
with recursive ${dueQueues(t)},
first_cursor as materialized (
  select c.job_uid as uid, c.next_at as at from ${t.cursor} c
  where c.next_at < 'infinity' and ${isLater('c.next_at')} and ${narrowing.where('c')}
  order by c.next_at ${first}
),
first_run as materialized (
  select found.id as uid, found.due_at as at
  from due_queue q cross join generate_series(0, 9) p (rank) cross join lateral (
    select r.id, r.due_at from ${t.run} r
    where r.queue = q.name and ${rankOf('r')} = p.rank and ${isWaiting('r')} and r.keyed
      and ${isLater('r.due_at')} and ${narrowing.where('r')}
    order by r.due_at ${first}
  ) found order by found.due_at ${first}
),
horizon as materialized (select least(${until('cursor')}, ${until('run')}) as until)
select found.*, ${ms(now)} as now, (select until is null from horizon) as whole from (
  (select * from (${recurring}) v ${cut} and ${among('cursor', sameCursors)} ${order})
  union all
  (select * from (${oneOff}) v ${cut} and ${among('run', sameRuns)} ${order})
) found ${order}`;
}
