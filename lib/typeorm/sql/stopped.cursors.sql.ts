import { isStopped } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 kind · $3 name · $4 after this job · $5 limit
 *
 * Cursors that fell due and that nothing but this pause stops, locked.
 */
export function stoppedCursorsSql(t: TableNames): string {
  return `
select c.job_uid::text, j.id, j.namespace, j.trigger, j.time_zone, ${ms('c.next_at')} as next_at, ${ms(now)} as now
from ${t.cursor} c join ${t.job} j on j.uid = c.job_uid
where c.job_uid > $4::bigint and c.next_at <= ${now}
  and case $2::text when 'all' then true when 'handler' then c.handler = $3 when 'queue' then c.queue = $3 else c.namespace = $3 end
  and not ${isStopped(t, 'c', 'p.kind = $2 and p.name = $3')}
order by c.job_uid limit $5::bigint for update of c`;
}
