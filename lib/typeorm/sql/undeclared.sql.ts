import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 app · $3 grace in ms
 *
 * Declared jobs of the app whose mark must change: `adopt` those that a live worker declares again, `note` those that none declares any more,
 * `orphan` those for which that has been so for the grace time.
 */
export function undeclaredSql(t: TableNames): string {
  return `
with declared as (
  select unnest(r.declared) as key from ${t.worker} w join ${t.release} r on r.generation = w.generation
  where w.app = $2 and w.lease_until > ${now} and w.released_at is null
),
judged as (
  select j.uid, j.undeclared_since, j.orphaned_at,
    j.namespace || '/' || j.id in (select key from declared) as declared
  from ${t.job} j where j.app = $2 and j.source = 'code'
)
select uid::text, ${ms(now)} as now,
  case
    when declared then 'adopt'
    when orphaned_at is null and coalesce(undeclared_since, ${now}) <= ${after(now, '-$3::float8')} then 'orphan'
    else 'note'
  end as change
from judged
where case
  when declared then undeclared_since is not null or orphaned_at is not null
  else undeclared_since is null or (orphaned_at is null and undeclared_since <= ${after(now, '-$3::float8')})
end
order by uid`;
}
