import { signatureOf } from './carried.fragment.js';
import type { TableNames } from './table.names.js';
import { after, clock, ms, now } from './time.fragment.js';

// $1 time · $2 worker · $3 lease in ms · $4 running, null: as it was. All ids are above 0: of a table that was never counted the planner takes half of the runs for
// cancelled ones, and without a bound on what their index is of it would rather read all.
export function renewSql(t: TableNames): string {
  return `
with renewed as (
  update ${t.worker} set lease_until = ${after(now, '$3::float8')}, running = coalesce($4::int, running)
  where id = $2 and lease_until > ${now} and released_at is null
  returning lease_until, app, generation
)
select (select ${ms('lease_until')} from renewed) as lease_until,
  (select coalesce(json_agg(r.id::text order by r.id), '[]') from ${t.run} r
    where r.cancel_requested and r.id > 0 and r.worker = $2 and exists (select from renewed)) as cancelled,
  (select r.synced_beside is distinct from ${signatureOf(t, 'r.app')}
    from renewed w join ${t.release} r on r.generation = w.generation where r.declarations is not null) as out_of_sync,
  ${clock} as now`;
}
