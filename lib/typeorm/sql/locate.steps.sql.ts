import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 steps. Which flow each is part of, and which of its steps, for an instance the map.
export function locateStepsSql(t: TableNames): string {
  return `
select s.id::text, s.flow::text, coalesce(s.map_of, s.id)::text as place, f.run_id::text, f.workflow, ${ms(now)} as now
from unnest($2::bigint[]) u (id)
  cross join lateral (select s.* from ${t.flow_step} s where s.id = u.id offset 0) s
  cross join lateral (select f.* from ${t.flow} f where f.id = s.flow and f.verdict is null and f.ending_at is null offset 0) f`;
}
