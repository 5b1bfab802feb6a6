import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

// $1 time · $2 key · $3 owner · $4 lease in ms. A lock whose row somebody has locked is taken at present: nobody waits for that.
export function acquireLockSql(t: TableNames): string {
  return `
with stands as materialized (
  select key from ${t.lock} where key = $2 for update skip locked
)
insert into ${t.lock} as l (key, owner, fence, expires_at)
select $2, $3, 1, ${after(now, '$4::float8')}
where exists (select from stands) or not exists (select from ${t.lock} where key = $2)
on conflict (key) do update set owner = excluded.owner, fence = l.fence + 1, expires_at = excluded.expires_at
where l.owner is null or l.owner = excluded.owner or l.expires_at <= ${now}
returning fence::float8`;
}
