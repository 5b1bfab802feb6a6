import { signatureOf } from './carried.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 worker. All ids are above 0: of a table that was never counted the planner takes half of the runs for cancelled ones, and without a bound on what their index is of it
// would rather read all.
export function readNewsSql(t: TableNames): string {
  return `
select (select coalesce(json_agg(r.id::text order by r.id), '[]') from ${t.run} r
    where r.cancel_requested and r.id > 0 and r.worker = $2) as cancelled,
  (select r.synced_beside is distinct from ${signatureOf(t, 'r.app')}
    from ${t.worker} w join ${t.release} r on r.generation = w.generation
    where w.id = $2 and r.declarations is not null) as out_of_sync,
  ${ms(now)} as now`;
}
