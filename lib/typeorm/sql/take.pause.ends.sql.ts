import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 namespaces · $3 ids of jobs, locked where there are such. Takes the ends that have come; `holds`: the pause stands that it was given with.
export function takePauseEndsSql(t: TableNames): string {
  return `
delete from ${t.pause_end} e using (
  select u.namespace, u.id, coalesce(
    (select j.paused_at from ${t.job} j where j.namespace = u.namespace and j.id = u.id),
    (select r.paused_at from ${t.run} r
      where r.namespace = u.namespace and r.job_id = u.id and r.keyed and r.origin <> 'reserved' and r.verdict is null)
  ) as paused_at
  from unnest($2::text[], $3::text[]) u (namespace, id)
) p
where e.kind = 'job' and e.namespace = p.namespace and e.name = p.id and e.until_at <= ${now}
returning e.namespace, e.name as id, e.paused_at is not distinct from p.paused_at as holds, ${ms('e.until_at')} as until_at, ${ms(now)} as now`;
}
