import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 after this job · $3 limit
 *
 * Cursors with a time, locked, each with its last instant that was dealt with as a run, in the ledger or in a gap, or else with the
 * job's last change.
 */
export function standingCursorsSql(t: TableNames): string {
  return `
select c.job_uid::text, j.id, j.namespace, j.trigger, j.time_zone, ${ms('c.next_at')} as next_at, ${ms(now)} as now,
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
from ${t.cursor} c join ${t.job} j on j.uid = c.job_uid
where c.job_uid > $2::bigint and c.next_at < 'infinity'
order by c.job_uid limit $3 for update of c`;
}
