import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 generation · $4 the sets beside which it is synced; null: something is left to do · $5 what it declares otherwise than it is
 *
 * Those that were live when the sync was planned, and not those that are now: a worker may have come since, of whom the plan knew nothing. What was synced beside other sets before is not any more.
 */
export function noteSyncedSql(t: TableNames): string {
  return `
update ${t.release} r set outranked = case when r.generation = $3::int then $5::json else r.outranked end,
  synced_beside = case when r.generation = $3::int then $4::text end
where r.app = $2 and (r.generation = $3::int or (r.synced_beside is not null and r.synced_beside is distinct from $4::text))
returning ${ms(now)} as now`;
}
