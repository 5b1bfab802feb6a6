import { signatureOf } from './carried.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 generation · $4 whether nothing is left to do · $5 what it declares otherwise than it is
 *
 * What was synced beside other sets before is not any more.
 */
export function noteSyncedSql(t: TableNames): string {
  return `
with beside as materialized (select case when $4 then ${signatureOf(t, '$2', '$3::int')} end as sets)
update ${t.release} r set outranked = case when r.generation = $3::int then $5::json else r.outranked end,
  synced_beside = case when r.generation = $3::int then b.sets end
from beside b
where r.app = $2 and (r.generation = $3::int or (r.synced_beside is not null and r.synced_beside is distinct from b.sets))
returning ${ms(now)} as now`;
}
