import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 run
export function findFlowSql(t: TableNames): string {
  return `select f.id::text, ${ms(now)} as now from ${t.flow} f where f.run_id = $2::bigint`;
}
