import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 namespaces · $3 ids · $4 names · $5 sources · $6 apps · $7 handlers · $8 queues · $9 priorities · $10 triggers · $11 time zones
 * · $12 payloads · $13 metadata · $14 policies · $15 hashes · $16 due in ms (null: now) · $17 origin
 *
 * Returns what was created; the others' ids are taken.
 */
export function insertOneOffsSql(t: TableNames): string {
  return `
with given as (
  select u.*, coalesce(${at('due_ms')}, ${now}) as due_at
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::float8[]) with ordinality
    u (namespace, id, name, source, app, handler, queue, priority, trigger,
      time_zone, payload, metadata, policies, hash, due_ms, nth)
),
created as (
  insert into ${t.run} (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at, due_at,
    name, source, app, trigger, time_zone, payload, metadata, policies, definition_hash, revision, created_at, updated_at)
  select namespace, id, true, $17, handler, queue, priority, due_at, due_at,
    name, source, app, trigger::json, time_zone, payload::json, metadata::jsonb, policies::json, hash, 1, ${now}, ${now}
  from given order by nth
  on conflict (namespace, job_id) where keyed do nothing
  returning namespace, job_id, due_at, created_at
),
${tellDue(t, 'run', 'select min(due_at) from created')}
select namespace, job_id as id, ${ms('due_at')} as next_at, ${ms('created_at')} as created_at, ${toldColumn} from created`;
}
