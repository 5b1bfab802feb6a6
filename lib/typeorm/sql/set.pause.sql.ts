import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 jobs · $3 runs of one-offs · $4 paused (boolean) · $5 reason · $6 by
 *
 * The runs are held by `holdRunsSql`.
 */
export function setPauseSql(t: TableNames): string {
  const set = `paused_at = case when $4::boolean then ${now} end, paused_reason = $5, paused_by = $6,
    revision = revision + 1, updated_at = ${now}`;
  return `
with job as (update ${t.job} set ${set} where uid = any ($2::bigint[])),
one_off as (update ${t.run} set ${set} where id = any ($3::bigint[]))
select ${ms(now)} as now`;
}
