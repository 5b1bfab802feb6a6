import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 kinds · $3 namespaces · $4 names · $5 when they were paused, in ms
 *
 * What is noted of pauses that are over goes.
 */
export function notePausesSql(t: TableNames): string {
  return `
with standing as (
  select s.* from (
    select p.kind, '' as namespace, p.name, p.paused_at from ${t.pause} p
    union all
    select 'job', j.namespace, j.id, j.paused_at from ${t.job} j where j.paused_at is not null
  ) s join unnest($2::text[], $3::text[], $4::text[], $5::float8[]) u (kind, namespace, name, at)
    on u.kind = s.kind and u.namespace = s.namespace and u.name = s.name and ${at('u.at')} = s.paused_at
),
over as (
  delete from ${t.pause_end} e where e.until_at = 'infinity'
    and not exists (select from standing s where s.kind = e.kind and s.namespace = e.namespace and s.name = e.name)
    and not exists (select from ${t.pause} p where e.kind = p.kind and e.name = p.name and e.paused_at = p.paused_at)
    and not exists (
      select from ${t.job} j where e.kind = 'job' and j.namespace = e.namespace and j.id = e.name and j.paused_at = e.paused_at
    )
)
insert into ${t.pause_end} as e (kind, namespace, name, paused_at, until_at)
select s.kind, s.namespace, s.name, s.paused_at, 'infinity' from standing s
on conflict (kind, namespace, name) do update set paused_at = excluded.paused_at, until_at = excluded.until_at
  where e.paused_at <> excluded.paused_at
returning e.kind, e.namespace, e.name, ${ms(now)} as now`;
}
