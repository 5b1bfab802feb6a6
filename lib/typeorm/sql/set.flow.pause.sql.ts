import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked · $3 whether it is paused. No row: it is over.
export function setFlowPauseSql(t: TableNames): string {
  return `
update ${t.flow} f set paused_at = case when $3::boolean then coalesce(f.paused_at, ${now}) end where f.id = $2::bigint and f.verdict is null
returning ${ms(now)} as now`;
}
