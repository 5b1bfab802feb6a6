import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

// $1 time · $2 key · $3 fence; null: whatever it is. The row stays, since the fence has to outlive the lock.
export function releaseLockSql(t: TableNames): string {
  return `
update ${t.lock} set owner = null
where key = $2 and fence = coalesce($3::bigint, fence) and owner is not null and expires_at > ${now}
returning key`;
}
