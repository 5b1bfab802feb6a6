import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 after this job · $3 limit
 *
 * Cursors with a time, locked, each with its last instant that was dealt with as a run, in the ledger or in a gap, or else with the
 * job's last change. One that somebody else has locked comes out without a time.
 */
export function standingCursorsSql(t: TableNames): string {
  return `
with found as materialized (
  select job_uid from ${t.cursor} where job_uid > $2::bigint and next_at < 'infinity' order by job_uid limit $3
),
free as materialized (
  select c.job_uid, c.next_at, c.fired_until from ${t.cursor} c
  where c.job_uid = any (array(select job_uid from found)) and c.next_at < 'infinity'
  order by c.job_uid for update skip locked
)
select f.job_uid::text, j.id, j.namespace, j.trigger, j.time_zone, ${ms('c.next_at')} as next_at, ${ms(now)} as now,
  ${ms(`least(c.next_at - interval '1 millisecond', greatest(
    j.updated_at,
    c.fired_until,
    (select max(r.nominal_at) from ${t.run} r where r.job_uid = c.job_uid),
    (select max(a.nominal_at) from (
      select l.nominal_at from ${t.attempt} l
      where l.namespace = j.namespace and l.job_id = j.id order by l.finished_at desc limit 10
    ) a),
    (select coalesce(g.until_at, g.from_at) from ${t.gap} g
      where g.namespace = j.namespace and g.job_id = j.id order by g.id desc limit 1)
  ))`)} as since
from found f left join free c using (job_uid) left join ${t.job} j on j.uid = c.job_uid
order by f.job_uid`;
}
