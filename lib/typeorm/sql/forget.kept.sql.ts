import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time · $2 limit · $3 runs to pass over · $4 really. One-offs that were kept long enough; dead letters have no such time.
export function forgetKeptSql(t: TableNames): string {
  return `
with old as materialized (
  select id as key from ${t.run} where keep_until <= ${now} and id <> all ($3::bigint[])
  order by keep_until limit $2 for update skip locked
),
gone as (
  delete from ${t.run} where $4::boolean and id in (select key from old) returning id
)${forgotten('$4')}`;
}
