import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 horizon in ms · $3 limit. Open gaps stay.
export function forgetGapsSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.gap} where id in (
    select id from ${t.gap} where until_at < ${at('$2::float8')} order by until_at limit $3
  ) returning id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
