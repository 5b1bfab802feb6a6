import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';

/**
 * $1 time · $2 uid · $3 namespace · $4 id · $5 name · $6 handler · $7 queue · $8 priority · $9 trigger · $10 time zone · $11 payload, null: as it is · $12 metadata, the same
 * · $13 policies · $14 hash · $15 generation · $16 app · $17 what is changed at run time · $18 whether its schedule begins anew
 */
export function updateJobSql(t: TableNames): string {
  return `
update ${t.job} set namespace = $3, id = $4, name = $5, handler = $6, queue = $7, priority = $8::smallint,
  trigger = $9::json, trigger_type = $9::json ->> 'type', time_zone = $10, payload = coalesce($11::json, payload), metadata = coalesce($12::jsonb, metadata),
  policies = $13::json, definition_hash = $14::text, generation = $15::int, app = $16,
  changed = case when $17::json is not null then json_build_object('hash', $14::text, 'options', $17::json) end, fired = case when $18::boolean then 0 else fired end, revision = revision + 1, updated_at = ${now}
where uid = $2::bigint`;
}
