import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellChange } from './wake.fragment.js';

// $1 time · $2 kind · $3 name
export function endPauseSql(t: TableNames): string {
  return `
with gone as (delete from ${t.pause_end} e where e.kind = $2 and e.namespace = '' and e.name = $3)
delete from ${t.pause} where kind = $2 and name = $3 returning ${ms(now)} as now${tellChange(t)}`;
}
