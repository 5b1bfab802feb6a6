import { isGood } from './advance.flows.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow · $3 how many at most. What has not ended well, in the order in which it was stored, and how many there are.
export function readBadStepsSql(t: TableNames): string {
  return `
select s.name, coalesce(s.verdict, 'blocked') as state, count(*) over ()::int as count, ${ms(now)} as now from ${t.flow_step} s
where s.flow = $2::bigint and s.map_of is null and (s.verdict is null or not ${isGood('s')})
order by s.id limit $3`;
}
