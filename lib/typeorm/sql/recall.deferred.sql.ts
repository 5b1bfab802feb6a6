import { isOf } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

// $1 time · $2 limit. One that somebody has locked is left to the next round. The deferred runs that some live worker can execute (see `deferStrandedSql`) are due.
export function recallDeferredSql(t: TableNames): string {
  return `
with able as (
  select distinct w.app, h.handler, q.queue
  from ${t.worker} w cross join unnest(w.handlers) h (handler) cross join unnest(w.queues) q (queue)
  where w.lease_until > ${now} and w.released_at is null
),
picked as materialized (
  select found.ctid from able a cross join lateral (
    select r.ctid from ${t.run} r
    where r.handler = a.handler and r.queue = a.queue and ${isOf('r', 'a.app')} and r.deferred_until > ${now}
      and r.due_at = r.deferred_until and r.worker is null
    order by r.deferred_until limit $2 for update skip locked
  ) found limit $2
),
recalled as (
  update ${t.run} r set due_at = ${now}, deferred_until = null
  where r.ctid = any (array(select ctid from picked)) and r.due_at = r.deferred_until and r.worker is null
  returning r.due_at
),
${tellDue(t, 'run', 'select min(due_at) from recalled')}
select ${toldColumn}`;
}
