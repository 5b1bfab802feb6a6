import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time
export function queryPausesSql(t: TableNames): string {
  return `
select p.kind, p.name, ${ms('p.paused_at')} as paused_at, p.paused_reason, p.paused_by, ${ms('e.until_at')} as until_at, ${ms(now)} as now
from ${t.pause} p left join ${t.pause_end} e on e.kind = p.kind and e.namespace = '' and e.name = p.name and e.paused_at = p.paused_at
order by p.paused_at, p.kind, p.name`;
}
