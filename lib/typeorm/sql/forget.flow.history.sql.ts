import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** $1 time · $2 horizon in ms · $3 limit · $4 flows to pass over · $5 really. Flows that were archived before, with their steps and edges. */
export function forgetFlowHistorySql(t: TableNames): string {
  return `
with old as materialized (
  select f.id as key from ${t.flow_history} f
  where f.archived_at < ${at('$2::float8')} and f.id <> all ($4::bigint[])
  order by f.archived_at, f.id limit $3 for update skip locked
),
gone as (
  delete from ${t.flow_history} f where f.id = any (array(select key from old where $5::boolean)) returning f.id
),
steps as (
  delete from ${t.flow_step_history} s where s.flow = any (array(select key from old where $5::boolean)) returning s.id
),
edges as (
  delete from ${t.flow_edge_history} e where e.parent = any (array(select id from steps))
)${forgotten('$5')}`;
}
