import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time
export function readZoneDataSql(t: TableNames): string {
  return `select value, ${ms(now)} as now from ${t.meta} where key = 'zone_data'`;
}
