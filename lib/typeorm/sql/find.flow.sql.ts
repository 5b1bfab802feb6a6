import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 run. The run that a flow is by now which was this one first.
export function laterRunSql(t: TableNames): string {
  return `select f.run_id::text, ${ms(now)} as now from ${t.flow} f where f.first_run = $2::bigint`;
}

// $1 time · $2 run
export function findFlowSql(t: TableNames): string {
  return `select f.id::text, ${ms(now)} as now from ${t.flow} f where f.run_id = $2::bigint`;
}
