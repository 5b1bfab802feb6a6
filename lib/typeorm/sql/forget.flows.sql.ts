import { forgotten } from './forgotten.fragment.js';
import { goneFlows } from './gone.flows.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/**
 * $1 time · $2 horizon in ms · $3 into the history · $4 limit · $5 flows to pass over · $6 really
 *
 * Flows that were over before, those first that were first, with their steps and edges. One of which an ancestor goes on stays. A run that still goes on of a flow that was cancelled finds no step any more, and ends without.
 */
export function forgetFlowsSql(t: TableNames): string {
  return `
with old as materialized (
  select f.id as key from ${t.flow} f
  where f.id <> all ($5::bigint[]) and f.ended_at < ${at('$2::float8')} and (
    with recursive above (id, going) as (
      select f.parent, false where f.parent is not null
      union all
      select p.parent, p.verdict is null from above a cross join lateral (select p.parent, p.verdict from ${t.flow} p where p.id = a.id offset 0) p
    )
    select count(*) from above where going
  ) = 0
  order by f.ended_at limit $4 for update skip locked
),${goneFlows(t, '$6', '$3')}${forgotten('$6')}`;
}
