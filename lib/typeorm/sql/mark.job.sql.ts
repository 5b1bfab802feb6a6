import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 job · $3 what is known of its declaration: `note` that nobody declares it, `declare` it again, `orphan` it, `adopt` an orphan
 *
 * The first two are no change of the job that users see, so its revision stays.
 */
export function markJobSql(t: TableNames): string {
  return `
update ${t.job} set
  undeclared_since = case when $3::text in ('note', 'orphan') then coalesce(undeclared_since, ${now}) end,
  orphaned_at = case $3::text when 'orphan' then ${now} when 'adopt' then null else orphaned_at end,
  revision = revision + ($3::text in ('orphan', 'adopt'))::int,
  updated_at = case when $3::text in ('orphan', 'adopt') then ${now} else updated_at end
where uid = $2 returning ${ms(now)} as now`;
}
