import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

// $1 time · $2 horizon in ms · $3 limit. Row by row: `undated` of days that have no partition, `all` of any.
export function forgetAttemptsSql(t: TableNames, which: 'all' | 'undated'): string {
  const table = which === 'all' ? t.attempt : t.qualified('attempt_default');
  return `
with old as (
  select tableoid, ctid from ${table} where finished_at < ${at('$2::float8')} order by finished_at limit $3
  for update skip locked
),
gone as (
  delete from ${table} a using old where a.tableoid = old.tableoid and a.ctid = old.ctid returning a.run_id
)
select count(*)::int as count, ${ms(now)} as now from gone`;
}
