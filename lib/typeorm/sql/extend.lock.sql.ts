import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

// $1 time · $2 key · $3 fence · $4 lease in ms
export function extendLockSql(t: TableNames): string {
  return `
update ${t.lock} set expires_at = ${after(now, '$4::float8')}, lease_ms = $4::float8
where key = $2 and fence = $3 and owner is not null and expires_at > ${now}
returning key`;
}
