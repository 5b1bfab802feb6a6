import { isLiving } from './living.apps.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app that gets them · $3 apps · $4 after this key · $5 limit
 *
 * One-offs, callbacks and runs of jobs that are gone, of those apps that have no live worker, in the order of the key. `last`: the last key that it came to; null: there is none beyond. `locked`: whose rows
 * somebody else has locked.
 */
export function inheritRunsSql(t: TableNames): string {
  return `
with found as materialized (
  select r.id, r.app from ${t.run} r
  where r.id > $4::bigint and r.app = any ($3::text[]) and r.job_uid is null and r.dead_of is null and r.origin <> 'reserved'
    and not ${isLiving(t, 'r.app')}
  order by r.id limit $5
),
free as materialized (
  select r.id from ${t.run} r where r.id = any (array(select id from found)) for update skip locked
),
taken as (
  update ${t.run} r set app = $2 from free where r.id = free.id and r.app = any ($3::text[]) returning r.id
)
select max(f.id)::text as last, (select count(*) from taken)::int as taken,
  to_json(coalesce(array_agg(distinct f.app) filter (where f.id not in (select id from free)), '{}')) as locked, ${ms(now)} as now
from found f`;
}
