import { goneFlows } from './gone.flows.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked, which is over
export function dropFlowSql(t: TableNames): string {
  return `
with old as materialized (select $2::bigint as key),${goneFlows(t)}
select count(*)::int as count, ${ms(now)} as now from gone`;
}
