import { isGood } from './advance.flows.sql.js';
import type { TableNames } from './table.names.js';
import { ms, moment } from './time.fragment.js';

// $1 time · $2 flows, locked. Those that have nothing under way any more are over: as was decided from outside, else by all of their steps, not by the last ones.
export function endFlowsSql(t: TableNames): string {
  return `
update ${t.flow} f set ended_at = ${moment}, paused_at = null,
  verdict = case
    when f.retry_at is not null then 'cancelled'
    when f.ending is not null then case when f.ending ->> 'outcome' in ('succeeded', 'failed') then f.ending ->> 'outcome' else 'cancelled' end
    when exists (
    select from ${t.flow_step} s where s.flow = f.id and s.map_of is null and (s.verdict is null or not ${isGood('s')})
  ) then 'failed' else 'succeeded' end
where f.id = any ($2::bigint[]) and f.active = 0 and f.verdict is null
returning f.id::text, f.run_id::text, f.verdict, f.ending, ${ms('f.retry_at')} as retry_at`;
}
