import { stepPlace } from './step.place.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time · $2 steps · $3 the latest run of each. What a worker gets with their runs. A statement of its own, so that claims depend on no table of workflows: most have none. */
export function readClaimedStepsSql(t: TableNames): string {
  return `
select s.id::text, f.run_id::text as flow_run_id, f.workflow, f.version, f.depth, s.name, nullif(s.nth, -1) as nth, f.params, ${stepPlace('s', 'f')} as place, coalesce(s.payload, f.params) as payload, f.trace, ${ms(now)} as now
from unnest($2::bigint[], $3::bigint[]) u (id, run_id)
  cross join lateral (select s.* from ${t.flow_step} s where s.id = u.id and s.run_id = u.run_id offset 0) s
  cross join lateral (select f.* from ${t.flow} f where f.id = s.flow offset 0) f`;
}
