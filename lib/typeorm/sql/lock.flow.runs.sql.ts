import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flows. The runs of their steps, locked: from here on none of them begins or ends.
export function lockFlowRunsSql(t: TableNames): string {
  return `
select r.id::text, r.worker is not null as running, ${ms(now)} as now
from ${t.run} r
where r.id = any (array(
    select s.run_id from unnest($2::bigint[]) u (id)
      cross join lateral (select s.run_id from ${t.flow_step} s where s.flow = u.id and s.released_at is not null and s.verdict is null and s.run_id is not null offset 0) s
  )) and r.flow_step is not null and r.verdict is null
order by r.id for update`;
}
