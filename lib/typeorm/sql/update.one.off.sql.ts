import { isOpen } from './open.fragment.js';
import type { TableNames } from './table.names.js';
import { at, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 run · $3 name · $4 handler · $5 queue · $6 priority · $7 trigger · $8 time zone · $9 payload, null: as it is · $10 metadata, the same · $11 policies · $12 hash
 * · $13 app · $14 new time in ms, null: as it is
 *
 * One in the hands of a worker is parked: at a new time it would not be found among what is due.
 */
export function updateOneOffSql(t: TableNames): string {
  return `
with changed as (
  update ${t.run} r set
    claimed_handler = case when r.worker is not null or ${isOpen('r')} then coalesce(r.claimed_handler, r.handler) end,
    claimed_queue = case when r.worker is not null or ${isOpen('r')} then coalesce(r.claimed_queue, r.queue) end,
    parked_by = r.worker,
    name = $3, handler = $4, queue = $5, priority = $6::smallint, trigger = $7::json, time_zone = $8, payload = coalesce($9::json, r.payload),
    metadata = coalesce($10::jsonb, r.metadata), policies = $11::json, definition_hash = $12, app = $13,
    revision = r.revision + 1, updated_at = ${now},
    nominal_at = coalesce(${at('$14::float8')}, r.nominal_at),
    lifted = case when $14::float8 is null then r.lifted else 0 end,
    due_at = case when r.held or r.verdict is not null then r.due_at else coalesce(${at('$14::float8')}, r.due_at) end,
    held_due_at = case when r.held then coalesce(${at('$14::float8')}, r.held_due_at) end
  where id = $2::bigint
  returning case when worker is null then due_at end as due_at
),
${tellDue(t, 'run', 'select due_at from changed')}
select ${toldColumn} from changed`;
}
