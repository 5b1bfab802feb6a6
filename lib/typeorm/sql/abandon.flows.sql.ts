import type { TableNames } from './table.names.js';
import { moment } from './time.fragment.js';

// $1 time · $2 flows, locked, whose runs have ended otherwise · $3 their verdicts. Returns the steps that will never be released.
export function abandonFlowsSql(t: TableNames): string {
  return `
with over as (
  update ${t.flow} f set verdict = u.verdict, ended_at = ${moment}, paused_at = null
  from unnest($2::bigint[], $3::text[]) u (id, verdict) where f.id = u.id and f.verdict is null returning f.id
)
select s.id::text from over cross join lateral (
  select s.id from ${t.flow_step} s where s.flow = over.id and s.released_at is null and s.verdict is null offset 0
) s`;
}
