import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time
export function queryPausesSql(t: TableNames): string {
  return `
select kind, name, ${ms('paused_at')} as paused_at, paused_reason, paused_by, ${ms(now)} as now
from ${t.pause} p order by p.paused_at, p.kind, p.name`;
}
