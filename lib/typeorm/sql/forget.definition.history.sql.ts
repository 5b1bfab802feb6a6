import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

/** $1 time · $2 horizon in ms · $3 limit · $4 definitions to pass over · $5 really. Those that were archived before. */
export function forgetDefinitionHistorySql(t: TableNames): string {
  return `
with old as materialized (
  select d.id as key from ${t.definition_history} d
  where d.archived_at < ${at('$2::float8')} and d.id <> all ($4::bigint[])
  order by d.archived_at, d.id limit $3 for update skip locked
),
gone as (
  delete from ${t.definition_history} where $5::boolean and id = any (array(select key from old)) returning id
)${forgotten('$5')}`;
}
