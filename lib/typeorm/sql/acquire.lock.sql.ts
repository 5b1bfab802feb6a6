import { leaseToleranceMs } from '../../model/leases.js';
import type { TableNames } from './table.names.js';
import { after, now } from './time.fragment.js';

/**
 * $1 time · $2 key · $3 owner · $4 lease in ms
 *
 * `fence`: null: it is another's. A lock whose row somebody has locked is taken at present: nobody waits for that. One that was taken while the clock was ahead is cut to its length from now.
 */
export function acquireLockSql(t: TableNames): string {
  const isFree = `(l.owner is null or l.owner = excluded.owner or l.expires_at <= ${now})`;
  const isTooLong = `(l.expires_at > ${after(now, `(l.lease_ms + ${leaseToleranceMs})`)}) is true`;
  return `
with stands as materialized (
  select key from ${t.lock} where key = $2 for update skip locked
)
insert into ${t.lock} as l (key, owner, fence, expires_at, lease_ms)
select $2, $3, 1, ${after(now, '$4::float8')}, $4::float8
where exists (select from stands) or not exists (select from ${t.lock} where key = $2)
on conflict (key) do update set
  owner = case when ${isFree} then excluded.owner else l.owner end,
  fence = l.fence + (${isFree})::int,
  expires_at = case when ${isFree} then excluded.expires_at else ${after(now, 'l.lease_ms')} end,
  lease_ms = case when ${isFree} then excluded.lease_ms else l.lease_ms end
where ${isFree} or ${isTooLong}
returning case when owner = $3 then fence::numeric end as fence`;
}
