import { forgotten } from './forgotten.fragment.js';
import type { TableNames } from './table.names.js';
import { at } from './time.fragment.js';

// $1 time · $2 horizon in ms · $3 limit · $4 runs to pass over · $5 really. Row by row: `undated` of days that have no partition, `all` of any.
export function forgetAttemptsSql(t: TableNames, which: 'all' | 'undated'): string {
  const table = which === 'all' ? t.attempt : t.qualified('attempt_default');
  return `
with old as materialized (
  select tableoid, ctid, run_id as key from ${table}
  where finished_at < ${at('$2::float8')} and run_id <> all ($4::bigint[]) order by finished_at limit $3
  for update skip locked
),
gone as (
  delete from ${table} a using old where $5::boolean and a.tableoid = old.tableoid and a.ctid = old.ctid returning a.run_id
)${forgotten('$5')}`;
}
