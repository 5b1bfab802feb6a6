import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';

// $1 time · $2 horizon in ms · $3 limit · $4 ids to pass over · $5 really. What goes on stays.
export function forgetBulkActionsSql(t: TableNames): string {
  return `
with old as materialized (
  select id as key from ${t.bulk_action}
  where created_at < ${at('$2::float8')} and (state <> 'running' or lease_until <= ${now}) and id <> all ($4::text[])
  order by created_at limit $3 for update skip locked
),
gone as (
  delete from ${t.bulk_action} where $5::boolean and id in (select key from old) returning id
)${forgotten('$5')}`;
}
