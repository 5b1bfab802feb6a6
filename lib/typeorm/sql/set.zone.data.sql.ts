import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellChange } from './wake.fragment.js';

// $1 time · $2 version
export function setZoneDataSql(t: TableNames): string {
  return `update ${t.meta} set value = $2 where key = 'zone_data' returning ${ms(now)} as now${tellChange(t)}`;
}
