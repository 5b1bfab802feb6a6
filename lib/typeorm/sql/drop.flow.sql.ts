import { goneFlows } from './gone.flows.fragment.js';
import { flowPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow, locked, which is over
export function dropFlowSql(t: TableNames): string {
  return `
with old as materialized (select $2::bigint as key),${goneFlows(t)}
select (select ${flowPlace('f')} from ${t.flow} f where f.id = $2::bigint) as place, ${ms(now)} as now`;
}
