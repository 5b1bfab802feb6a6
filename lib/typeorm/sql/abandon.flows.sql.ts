import type { TableNames } from './table.names.js';
import { at, moment } from './time.fragment.js';

/**
 * $1 time · $2 flows, locked with their runs, of which it is decided how they end · $3 how, as JSON of the type FlowEnding · $4 when their runs are tried again, null: they are not
 *
 * The first who decides it does so; whoever comes later takes away that it is tried again. Until then their runs are open without a deadline, in nobody's hands. Returns the steps that will never be released.
 */
export function abandonFlowsSql(t: TableNames): string {
  return `
with left_flow as (
  update ${t.flow} f set ending = case when f.ending_at is null then u.ending::json else f.ending end, ending_at = coalesce(f.ending_at, ${moment}),
    retry_at = case when f.ending_at is null then ${at('u.retry_ms')} end, paused_at = null
  from unnest($2::bigint[], $3::text[], $4::float8[]) u (id, ending, retry_ms) where f.id = u.id and f.verdict is null returning f.id, f.run_id
),
open as (
  update ${t.run} r set worker = null, parked_by = null, started_at = null, attempt = r.attempt - (r.worker is not null)::int, fence = r.fence + (r.worker is not null)::int,
    opened_fence = r.fence + (r.worker is not null)::int, lifted = 0, due_at = null, held = false, held_due_at = null, cancel_requested = true
  from left_flow f where r.id = any (array(select run_id from left_flow)) and r.id = f.run_id and r.flow = f.id and r.verdict is null
)
select s.id::text from left_flow f cross join lateral (
  select s.id from ${t.flow_step} s where s.flow = f.id and s.released_at is null and s.verdict is null offset 0
) s`;
}
