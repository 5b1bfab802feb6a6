import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 namespace · $3 id · $4 name · $5 handler · $6 queue · $7 priority · $8 trigger · $9 time zone · $10 payload · $11 metadata · $12 policies
 * · $13 hash · $14 source · $15 app · $16 revision · $17 created in ms · $18 paused in ms · $19 reason · $20 by · $21 due in ms · $22 origin
 * · $23 retry of · $24 statistics as JSON
 *
 * A job that has been there before starts over as a one-off, with its history. A retry leads on the traces of what it retries.
 */
export function bearOneOffSql(t: TableNames): string {
  return `
with born as (
  insert into ${t.run} (namespace, job_id, keyed, origin, name, handler, queue, priority, trigger, time_zone, payload,
    metadata, policies, definition_hash, source, app, revision, created_at, updated_at, paused_at, paused_reason, paused_by,
    nominal_at, due_at, held, held_due_at, retry_of,
    run_count, error_count, consecutive_failures, last_run_at, last_verdict, last_error, trace_parent, last_trace)
  select $2, $3, true, $22, $4, $5, $6, $7::smallint, $8::json, $9, $10::json,
    $11::jsonb, $12::json, $13, $14, $15, $16::int, ${at('$17::float8')}, ${now}, ${at('$18::float8')}, $19, $20,
    ${at('$21::float8')}, case when $18::float8 is null then ${at('$21::float8')} end, $18::float8 is not null,
    case when $18::float8 is not null then ${at('$21::float8')} end, $23::bigint,
    s.run_count, s.error_count, s.consecutive_failures, s.last_run_at, s.last_verdict, s.last_error,
    case when $22 = 'retry' then s.trace_parent end, case when $22 = 'retry' then s.last_trace end
  from json_populate_record(null::${t.run}, $24::json) s
  returning id, due_at
),
${tellDue(t, 'run', 'select due_at from born')}
select id::text, ${ms(now)} as now, ${toldColumn} from born`;
}
