import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';

/**
 * $1 time · $2 namespace · $3 id · $4 name · $5 handler · $6 queue · $7 priority · $8 trigger · $9 time zone · $10 payload · $11 metadata · $12 policies
 * · $13 hash · $14 source · $15 app · $16 revision · $17 created in ms · $18 paused in ms · $19 reason · $20 by · $21 generation
 * · $22 statistics as JSON
 *
 * A job that has been there before starts over as a recurring one, with its history and without a cursor.
 */
export function bearRecurringSql(t: TableNames): string {
  return `
with born as (
  insert into ${t.job} (namespace, id, name, handler, queue, priority, trigger, trigger_type, time_zone, payload,
    metadata, policies, definition_hash, source, app, revision, created_at, updated_at, paused_at, paused_reason, paused_by,
    generation, fired)
  values ($2, $3, $4, $5, $6, $7::smallint, $8::json, $8::json ->> 'type', $9, $10::json,
    $11::jsonb, $12::json, $13, $14, $15, $16::int, ${at('$17::float8')}, ${now}, ${at('$18::float8')}, $19, $20, $21::int, 0)
  returning uid, namespace, id
),
reserved as (
  insert into ${t.run} (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at)
  select namespace, id, true, 'reserved', '', '', 0, ${now} from born
),
counted as (
  insert into ${t.job_stat} (job_uid, run_count, error_count, consecutive_failures, last_run_at, last_verdict, last_error)
  select b.uid, s.run_count, s.error_count, s.consecutive_failures, s.last_run_at, s.last_verdict, s.last_error
  from born b cross join json_populate_record(null::${t.job_stat}, $22::json) s
)
select uid::text, ${ms(now)} as now from born`;
}
