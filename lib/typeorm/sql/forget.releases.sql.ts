import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 how many are kept whatever they are, those that appeared last · $4 limit
 *
 * Sets of the app that no worker on record carries. Behind the lock of the app: nobody takes one up meanwhile.
 */
export function forgetReleasesSql(t: TableNames): string {
  return `
delete from ${t.release} where generation in (
  select ranked.generation from (
    select generation, row_number() over (order by place desc nulls last, generation desc) as nth from ${t.release} where app = $2
  ) ranked
  where ranked.nth > $3::int and not exists (select from ${t.worker} w where w.app = $2 and w.generation = ranked.generation)
  order by ranked.nth desc limit $4
)
returning ${ms(now)} as now`;
}
