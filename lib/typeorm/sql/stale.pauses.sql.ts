import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 for how long they have stood, in ms · $3 limit · $4 whether only those of which nobody was told
 *
 * Of jobs by the index of those that are paused.
 */
export function stalePausesSql(t: TableNames): string {
  const since = after(now, '-$2::float8');
  return `
select s.kind, s.namespace, s.name, ${ms('s.paused_at')} as paused_at, s.paused_reason, s.paused_by, null as until_at, ${ms(now)} as now
from (
  select p.kind, '' as namespace, p.name, p.paused_at, p.paused_reason, p.paused_by from ${t.pause} p where p.paused_at <= ${since}
  union all
  select 'job', j.namespace, j.id, j.paused_at, j.paused_reason, j.paused_by from ${t.job} j
  where j.paused_at is not null and j.paused_at <= ${since}
) s
where not exists (
  select from ${t.pause_end} e
  where e.kind = s.kind and e.namespace = s.namespace and e.name = s.name and e.paused_at = s.paused_at
    and (e.until_at < 'infinity' or $4::boolean)
)
order by s.paused_at, s.kind, s.namespace, s.name limit $3::bigint`;
}
