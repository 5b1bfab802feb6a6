import { unnest } from './arrays.fragment.js';
import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

// $1 time · $2 verdicts · $3 their horizons in ms · $4 limit · $5 gaps to pass over · $6 really. Open gaps stay.
export function forgetGapsSql(t: TableNames): string {
  return `
with old as materialized (
  select g.id as key from ${unnest(['$2::text[]', '$3::float8[]'])} k (verdict, horizon) cross join lateral (
    select id from ${t.gap} where verdict = k.verdict and until_at < ${at('k.horizon')} and id <> all ($5::bigint[])
    order by until_at limit $4 for update skip locked
  ) g limit $4
),
gone as (
  delete from ${t.gap} where $6::boolean and id in (select key from old) returning id
)${forgotten('$6')}`;
}
