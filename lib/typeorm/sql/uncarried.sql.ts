import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 grace in ms
 *
 * Declared jobs of the app that are not orphaned, though no worker has carried them for the grace time, and a live one has been there for as long: after an outage of all
 * others may be about to come back, too.
 */
export function uncarriedSql(t: TableNames): string {
  const since = after(now, '-$3::float8');
  return `
with carried as (
  select unnest(r.declared) as key from ${t.release} r
  where r.app = $2 and r.generation in (select w.generation from ${t.worker} w where w.app = $2 and w.lease_until > ${since})
)
select j.uid::text, ${ms(now)} as now from ${t.job} j
where j.app = $2 and j.source = 'code' and j.orphaned_at is null and j.namespace || '/' || j.id not in (select key from carried)
  and exists (
    select from ${t.worker} w
    where w.app = $2 and w.lease_until > ${now} and w.released_at is null and w.started_at <= ${since}
  )
order by j.uid`;
}
