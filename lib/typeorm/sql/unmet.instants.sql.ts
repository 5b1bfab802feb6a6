import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 job · $3 instants in ms
 *
 * Those that have neither a run nor a gap. What is to come cannot have run: it waits, or was cancelled a moment ago.
 */
export function unmetInstantsSql(t: TableNames): string {
  return `
select ${ms('u.instant')} as instant from (select ${at('given')} as instant from unnest($3::float8[]) given) u
join ${t.job} j on j.uid = $2::bigint
where u.instant > ${now} and not exists (select from ${t.run} r where r.job_uid = j.uid and r.nominal_at = u.instant)
  and not exists (
    select from ${t.gap} g
    where g.namespace = j.namespace and g.job_id = j.id and g.from_at <= u.instant and coalesce(g.until_at, 'infinity') >= u.instant
  )
  and not exists (
    select from ${t.attempt} a where a.namespace = j.namespace and a.job_id = j.id and a.nominal_at = u.instant
      and a.finished_at > u.instant - interval '1 day'
  )
order by 1`;
}
