import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

// $1 time · $2 from · $3 until, a whole hour. Whether the ledger has as many attempts as were counted.
export function compareRollupsSql(t: TableNames): string {
  return `
select (select count(*) from ${t.attempt} where finished_at >= ${at('$2::float8')} and finished_at < ${at('$3::float8')})
  <> (select coalesce(sum(attempts), 0) from ${t.stat_hour} where start_at = ${at('$2::float8')}) as differs, $1::numeric as now`;
}
