import { isGood } from './advance.flows.sql.js';
import type { TableNames } from './table.names.js';
import { moment, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 steps of a locked flow, to be as before they were released · $3 maps, whose instances that have not ended well are among these, and which go on · $4 such maps, which wait · $5 those of the first that keep their run, to go on with what it has left. Nothing of them still runs.
 */
export function resetStepsSql(t: TableNames): string {
  return `
with reset as (
  update ${t.flow_step} s set released_at = null, ended_at = null, verdict = null, reason = null, result = null, result_size = 0, run_id = case when s.id = any ($5::bigint[]) then s.run_id end, items = null, items_ok = 0, items_bad = 0
  where s.id = any ($2::bigint[]) returning s.id, s.flow, s.name, s.is_map
),
gone as (
  delete from ${t.flow_step} s using reset m where m.is_map and s.flow = m.flow and s.name = m.name and s.nth >= 0
),
reopened as (
  update ${t.flow_step} s set released_at = case when s.id = any ($3::bigint[]) then ${moment} end, ended_at = null, verdict = null, reason = null, items_bad = 0, items_ok = s.items_ok - (
    -- Of one that may fail those that were cut off count as well.
    select count(*)::int from ${t.flow_step} i where i.id = any ($2::bigint[]) and i.map_of = s.id and i.verdict is not null and ${isGood('i')}
  ) where s.id = any ($3::bigint[] || $4::bigint[])
)
select count(*)::int as count, ${ms(now)} as now from reset`;
}
