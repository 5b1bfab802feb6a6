import type { TableNames } from './table.names.js';

/** $1 time · $2 run · $3 fence · $4 worker. Whether nobody has settled the run, and nobody else has it. */
export function isInHandsSql(t: TableNames): string {
  return `
select exists (select from ${t.run} r where r.id = $2::bigint and r.fence = $3::int and r.worker = $4::text) as mine
-- The time is a parameter of every statement, and one that none of it mentions is an error.
from (select $1::float8) time`;
}
