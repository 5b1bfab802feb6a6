import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 worker
export function heldBySql(t: TableNames): string {
  return `select id::text as "runId", fence, ${ms(now)} as now from ${t.run} where worker = $2 order by id`;
}
