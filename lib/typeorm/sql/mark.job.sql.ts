import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job · $3 why it is an orphan; null: it is none any more
export function markJobSql(t: TableNames): string {
  return `
update ${t.job} set orphaned_at = case when $3::text is not null then coalesce(orphaned_at, ${now}) end, orphaned_reason = $3,
  undeclared_since = null, revision = revision + 1, updated_at = ${now}
where uid = $2 returning ${ms(now)} as now`;
}
