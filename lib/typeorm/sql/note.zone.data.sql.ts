import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 version. Only the first one ever: what is stored from then on was computed with it or with a newer one.
export function noteZoneDataSql(t: TableNames): string {
  return `
insert into ${t.meta} (key, value) values ('zone_data', $2)
on conflict (key) do nothing
returning ${ms(now)} as now`;
}
