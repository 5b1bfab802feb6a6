import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 limit. One-offs that were kept long enough; dead letters have no such time.
export function forgetKeptSql(t: TableNames): string {
  return `
with gone as (
  delete from ${t.run} where id in (
    select id from ${t.run} where keep_until <= ${now} order by keep_until limit $2 for update skip locked
  ) returning id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
