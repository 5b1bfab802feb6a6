import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 after this key · $3 limit
 *
 * Gives rows of before schema version 3 the app of their jobs, in the order of the key, and passes over what somebody has locked. Returns the last key that it came to;
 * null: there is none beyond.
 */
export function fillAppsSql(t: TableNames, table: 'cursor' | 'run'): string {
  const key = table === 'run' ? 'id' : 'job_uid';
  const job = table === 'run' ? 'coalesce(r.job_uid, r.dead_of)' : 'r.job_uid';
  return `
with found as materialized (
  select r.${key} as key, j.app from ${t[table]} r join ${t.job} j on j.uid = ${job}
  where r.${key} > $2::bigint and r.app is null and j.app is not null
  order by r.${key} limit $3
),
free as materialized (
  select r.${key} as key from ${t[table]} r where r.${key} = any (array(select key from found)) and r.app is null
  for update skip locked
),
filled as (
  update ${t[table]} r set app = f.app from found f join free using (key) where r.${key} = f.key
)
select max(key)::text as last, ${ms(now)} as now from found`;
}
