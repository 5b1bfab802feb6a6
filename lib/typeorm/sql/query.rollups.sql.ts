import type { StatisticsUnit } from '../../model/rollup.js';
import { tableOf } from './roll.up.sql.js';
import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

// $1 time · $2 limit · the rest as `where` says.
export function queryRollupsSql(t: TableNames, unit: StatisticsUnit, where: string): string {
  return `
select ${ms('start_at')} as start_ms, namespace, queue, handler, verdict, runs::numeric, attempts::numeric, duration_ms::numeric,
  longest_ms::numeric, to_json(lateness) as lateness, $1::numeric as now
from ${tableOf(t, unit)} v
where ${where} order by start_at, namespace, queue, handler, verdict limit $2::bigint`;
}
