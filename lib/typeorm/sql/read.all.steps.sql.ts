import { isGood } from './advance.flows.sql.js';
import { stepPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 flow, locked, that is over. All of its steps, in their order, as far as a retry is concerned; `good` where they have ended well. What the end of the flow from outside has cut off has not, though it may fail: what was cancelled by that, and maps of which an instance was.
 */
export function readAllStepsSql(t: TableNames): string {
  const isCutOff = (s: string): string =>
    `(${s}.verdict = 'cancelled' and (${s}.released_at is null or coalesce(${s}.ended_at >= f.ending_at, false)))`;
  return `
with flow as materialized (
  select f.id, f.run_id, f.first_run, f.place, f.ending_at from ${t.flow} f where f.id = $2::bigint
)
select s.id::text, s.name, s.map_of::text, s.added_by::text, s.run_id::text, ${stepPlace('s', 'f')} as place, s.is_map, s.items is not null as is_expanded,
  s.released_at is null and s.verdict is null as waiting,
  s.verdict is not null and ${isGood('s')} and not (s.allow_failure and (${isCutOff('s')} or s.items is not null and exists (
    select from ${t.flow_step} i where i.flow = s.flow and coalesce(i.map_of, i.id) = s.id and i.nth >= 0 and ${isCutOff('i')}
  ))) as good,
  case when s.map_of is null then (select json_agg(e.child::text) from ${t.flow_edge} e where e.parent = s.id) end as children, ${ms(now)} as now
from ${t.flow_step} s cross join flow f where s.flow = f.id order by s.id`;
}
