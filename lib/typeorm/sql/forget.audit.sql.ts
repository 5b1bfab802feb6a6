import { forgotten } from './forgotten.fragment.js';
import { isOldAudit } from './old.audit.fragment.js';
import type { TableNames } from './table.names.js';

// $1 time · $2 horizon in ms · $3 limit · $4 entries to pass over · $5 really
export function forgetAuditSql(t: TableNames): string {
  return `
with old as materialized (
  select id as key from ${t.audit} where ${isOldAudit('$2::float8')} and id <> all ($4::bigint[])
  order by at limit $3 for update skip locked
),
gone as (
  delete from ${t.audit} where $5::boolean and id in (select key from old) returning id
)${forgotten('$5')}`;
}
