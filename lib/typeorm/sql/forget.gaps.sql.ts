import { unnest } from './arrays.fragment.js';
import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 verdicts · $3 their horizons in ms · $4 limit. Open gaps stay.
export function forgetGapsSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.gap} where id in (
    select g.id from ${unnest(['$2::text[]', '$3::float8[]'])} k (verdict, horizon) cross join lateral (
      select id from ${t.gap} where verdict = k.verdict and until_at < ${at('k.horizon')} order by until_at limit $4 for update skip locked
    ) g limit $4
  ) returning id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
