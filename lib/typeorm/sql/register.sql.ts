import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 id · $3 name · $4 app · $5 generation · $6 host · $7 pid · $8 version · $9 zone data · $10 queues · $11 handlers · $12 lease in ms · $13 retention · $14 slots.
 * May be said again when the answer was lost.
 */
export function registerSql(t: TableNames): string {
  return `
insert into ${t.worker} as w
  (id, name, app, generation, host, pid, version, zone_data, queues, handlers, started_at, lease_until, lease_ms, retention, slots)
values ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, ${now}, ${after(now, '$12::float8')}, $12, $13::jsonb, $14)
on conflict (id) do update set lease_until = excluded.lease_until where w.released_at is null
returning ${ms(now)} as now, ${ms('lease_until')} as lease_until`;
}
