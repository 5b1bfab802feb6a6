import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/** $1 time · $2 namespace · $3 name · $4 version; null: all. Returns how many. */
export function deleteDefinitionSql(t: TableNames): string {
  return `
with gone as (
  update ${t.definition} set deleted_at = ${now}
  where namespace = $2::text and name = $3::text and ($4::int is null or version = $4::int) and deleted_at is null
  returning id
)
select count(*)::int as count from gone`;
}
