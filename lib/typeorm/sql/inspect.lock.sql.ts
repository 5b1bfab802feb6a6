import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 key
export function inspectLockSql(t: TableNames): string {
  return `
select owner, fence::numeric, ${ms('expires_at')} as expires_at
from ${t.lock} where key = $2 and owner is not null and expires_at > ${now}`;
}
