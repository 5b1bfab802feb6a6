import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 namespaces · $3 ids
 *
 * Locks jobs of both kinds until the transaction ends. Who had to wait for a lock sees the row as it is then, but what it joins as it was before: so all else of a job is read by the statement
 * after this one.
 */
export function lockJobsSql(t: TableNames): string {
  const among = (namespace: string, id: string): string =>
    `(${namespace}, ${id}) in (select u.* from unnest($2::text[], $3::text[]) u)`;
  return `
with job_row as materialized (
  select j.uid from ${t.job} j where ${among('j.namespace', 'j.id')} order by j.uid for update
),
run_row as materialized (
  select r.id from ${t.run} r where ${among('r.namespace', 'r.job_id')} and r.keyed and r.origin <> 'reserved' order by r.id for update
)
select array(select uid::text from job_row) as uids, array(select id::text from run_row) as run_ids, ${ms(now)} as now`;
}
