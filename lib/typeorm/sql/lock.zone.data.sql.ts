import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time. One recomputation at a time; who finds another one under way leaves it to that.
export function lockZoneDataSql(t: TableNames): string {
  return `select value, ${ms(now)} as now from ${t.meta} where key = 'zone_data' for update skip locked`;
}
