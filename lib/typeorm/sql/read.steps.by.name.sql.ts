import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 flow · $3 names. The steps of these names that there are, without instances of maps.
export function readStepsByNameSql(t: TableNames): string {
  return `
select s.id::text, s.name, s.is_map, s.released_at is null and s.verdict is null as waiting, ${ms(now)} as now
from unnest($3::text[]) u (name) cross join lateral (
  select s.* from ${t.flow_step} s where s.flow = $2::bigint and s.name = u.name and s.nth = -1 offset 0
) s`;
}
