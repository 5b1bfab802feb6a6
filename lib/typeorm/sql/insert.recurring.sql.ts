import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 namespaces · $3 ids · $4 names · $5 sources · $6 apps · $7 handlers · $8 queues · $9 priorities · $10 triggers · $11 time zones
 * · $12 payloads · $13 metadata · $14 policies · $15 hashes · $16 first time in ms · $17 fixed delays in ms · $18 generation
 *
 * The reserved run takes the id for recurring jobs and one-offs alike. Returns what was created; the others' ids are taken.
 */
export function insertRecurringSql(t: TableNames): string {
  return `
with given as (
  select u.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[],
    $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::float8[], $17::bigint[])
    with ordinality
    u (namespace, id, name, source, app, handler, queue, priority,
      trigger, time_zone, payload, metadata, policies, hash, next_ms, delay_ms, nth)
),
reserved as (
  insert into ${t.run} (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at)
  select namespace, id, true, 'reserved', '', '', 0, ${now} from given order by nth
  on conflict (namespace, job_id) where keyed do nothing
  returning namespace, job_id
),
first as (
  select distinct on (g.namespace, g.id) g.*
  from reserved r join given g on g.namespace = r.namespace and g.id = r.job_id
  order by g.namespace, g.id, g.nth
),
created as (
  insert into ${t.job} (namespace, id, name, source, app, generation, handler, queue, priority, trigger, trigger_type,
    time_zone, payload, metadata, policies, definition_hash, fired, revision, created_at, updated_at)
  select namespace, id, name, source, app, $18::int, handler, queue, priority, trigger::json, trigger::json ->> 'type',
    time_zone, payload::json, metadata::jsonb, policies::json, hash, 0, 1, ${now}, ${now}
  from first order by nth
  returning uid, namespace, id, created_at
),
counted as (
  insert into ${t.job_stat} (job_uid) select uid from created
),
stands as (
  insert into ${t.cursor} (job_uid, namespace, handler, queue, next_at, delay_ms, revision, fired)
  select c.uid, f.namespace, f.handler, f.queue, ${at('f.next_ms')}, f.delay_ms, 1, 0
  from created c join first f on f.namespace = c.namespace and f.id = c.id
  where f.next_ms is not null
  returning job_uid, next_at
),
${tellDue(t, 'cursor', 'select min(next_at) from stands')}
select c.namespace, c.id, ${ms('s.next_at')} as next_at, ${ms('c.created_at')} as created_at, ${toldColumn}
from created c left join stands s on s.job_uid = c.uid`;
}
