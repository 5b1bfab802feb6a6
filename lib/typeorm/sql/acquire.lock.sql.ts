import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

// $1 time · $2 key · $3 owner · $4 lease in ms
export function acquireLockSql(t: TableNames): string {
  return `
insert into ${t.lock} as l (key, owner, fence, expires_at)
values ($2, $3, 1, ${after(now, '$4::float8')})
on conflict (key) do update set owner = excluded.owner, fence = l.fence + 1, expires_at = excluded.expires_at
where l.owner is null or l.owner = excluded.owner or l.expires_at <= ${now}
returning fence::float8`;
}
