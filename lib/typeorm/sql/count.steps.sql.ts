import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 steps of locked flows · $3 how many more there are by each
 *
 * Counts them where all that belongs together is counted: at the flow that is no step of another one, and is locked with these. Returns how many each has then.
 */
export function countStepsSql(t: TableNames): string {
  return `
with sums as materialized (
  select w.root, sum(u.count)::int as count
  from unnest($2::bigint[], $3::int[]) u (id, count)
    cross join lateral (select s.flow from ${t.flow_step} s where s.id = u.id offset 0) s
    cross join lateral (select coalesce(f.root, f.id) as root from ${t.flow} f where f.id = s.flow offset 0) w
  group by w.root
)
update ${t.flow} f set steps = f.steps + s.count from sums s where f.id = any (array(select root from sums)) and f.id = s.root
returning f.run_id::text, f.workflow, f.steps, ${ms(now)} as now`;
}
