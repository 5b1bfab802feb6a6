import { ofRecurring } from './of.recurring.fragment.js';
import { isReachable, openHandlers, reach } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

// $1 time · $2 queues · $3 handlers · $4 limit · $5 how far ahead in ms · $6 app. One probe for each handler: what this worker cannot fire costs nothing.
export function dueCursorsSql(t: TableNames): string {
  return `
with ${reach(t, '$2', '$3')},
due as (
  select found.* from unnest(${openHandlers}) h (handler) cross join lateral (
    select c.job_uid, c.next_at, c.revision, c.fired from ${t.cursor} c
    where c.handler = h.handler and c.next_at <= ${after(now, '$5::float8')} and ${isReachable('c', 'queue', '$6::text')}
    order by c.next_at limit $4
  ) found
  order by found.next_at, found.job_uid limit $4
)
select ${ms(now)} as now, due_cursor.*
from (select) always left join (
  select d.job_uid::text, j.id as job_id, j.namespace, j.handler, ${ms('d.next_at')} as nominal_at,
    d.revision, d.fired, j.trigger, j.time_zone, j.policies
  from due d cross join ${ofRecurring(t, 'd.job_uid')} j
) due_cursor on true
order by due_cursor.nominal_at, due_cursor.job_uid::bigint`;
}
