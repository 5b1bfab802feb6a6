import { takenColumns } from './claimed.run.fragment.js';
import { isRunReachable, openQueues, reach } from './pauses.fragment.js';
import { rankOf } from './rank.fragment.js';
import { mustNotRunTwice } from './recovery.fragment.js';
import type { TableNames } from './table.names.js';
import { after, at, clock, now } from './time.fragment.js';
import { isWaiting } from './waiting.fragment.js';

/**
 * $1 time · $2 worker · $3 queues · $4 handlers · $5 limit · $6 how far ahead in ms · $7 app · $8 by when what must not run twice has to be due, if that is later than now (null: it is not)
 *
 * One probe for each priority and queue, in the order of priorities: the cost depends on what is due, not on what is stored.
 * The probes lock as they go and stop at the limit; MATERIALIZED, or the planner might run them again and take more. With
 * several queues each probe of a priority runs to the limit before the earliest are picked; the rest is unlocked
 * at the end of the statement.
 *
 * What must not run twice is not handed out ahead: it would be lost with its worker until then.
 *
 * What it hands out is what the update returns, in no order: to sort that, or to join it with anything, the server would have to copy it. One row tells the time.
 */
export function claimSql(t: TableNames, queues: 'one' | 'several'): string {
  return `${picking(t, queues)}${taking(t)}`;
}

/** $1 to $8 as above · $9 runs to pass over. What a claim would hand out; takes hold of nothing. */
export function claimableSql(t: TableNames): string {
  return `${picking(t, 'several', 'and r.id <> all ($9::bigint[])')}
select id::text from picked`;
}

/** $1 to $8 as above, but $5 runs: hands out no others than these, and only what a claim would hand out. */
export function claimGivenSql(t: TableNames): string {
  return `
${beginning(t)}
picked as materialized (
  select r.ctid, r.id from alive cross join ${t.run} r
  where r.id = any ($5::bigint[]) and r.queue = any (${openQueues}) and ${isClaimable(t)}
  order by r.id for update of r skip locked
)${taking(t)}`;
}

function isClaimable(t: TableNames): string {
  return `${isWaiting('r')}
      and r.due_at <= ${after(now, '$6::float8')} and ${isRunReachable('r', '$4', '$7::text')}
      and case when r.due_at <= (select greatest(${now}, ${at('$8::float8')})) then true else not (${mustNotRunTwice(t, 'r')}) end`;
}

function beginning(t: TableNames): string {
  return `
with ${reach(t, '$3', '$4')},
alive as (
  select from ${t.worker} where id = $2 and lease_until > ${now} and released_at is null
),`;
}

function picking(t: TableNames, queues: 'one' | 'several', but = ''): string {
  const probe = `
    select r.ctid, r.id, r.due_at from ${t.run} r
    where r.queue = q.queue and ${rankOf('r')} = p.rank and ${isClaimable(t)} ${but}
    order by r.due_at limit $5 for update skip locked`;
  const ofPriority =
    queues === 'one'
      ? `unnest(${openQueues}) q (queue) cross join lateral (${probe}) found`
      : `lateral (
    select probed.ctid, probed.id from unnest(${openQueues}) q (queue) cross join lateral (${probe}) probed
    order by probed.due_at limit $5
  ) found`;
  return `${beginning(t)}
picked as materialized (
  select found.ctid, found.id
  from (select rank from alive, generate_series(0, 9) rank order by rank) p cross join ${ofPriority}
  limit $5
)`;
}

function taking(t: TableNames): string {
  return `
update ${t.run} r
set worker = $2, fence = r.fence + 1, attempt = r.attempt + 1, started_at = greatest(r.due_at, ${now})
where r.ctid = any (array(select ctid from picked))
returning case when r.id = (select id from picked limit 1) then ${clock} end as now, ${takenColumns(t)}`;
}
