import { givenJobs, storedKeys } from './given.jobs.fragment.js';
import { pausesColumn } from './pauses.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/**
 * $1 time · $2 to $17 see `givenJobs`; a time that is null: no cursor · $18 fixed delays in ms · $19 generation
 *
 * The reserved run takes the id for recurring jobs and one-offs alike. Returns one row: when, which ones if not all were stored, and what is paused.
 *
 * What was created and what was first have each other, so that their full join, of which no condition refuses null, is an inner one; but the planner, who expects
 * one row of each, would have an inner one compare each with each, a quarter of a million times for 500 jobs.
 */
export function insertRecurringSql(t: TableNames): string {
  return `
with ${givenJobs()},
reserved as (
  insert into ${t.run} (namespace, job_id, keyed, origin, handler, queue, priority, nominal_at)
  select namespace, id, true, 'reserved', '', '', 0, ${now} from given order by nth
  on conflict (namespace, job_id) where keyed do nothing
  returning namespace, job_id
),
first as (
  select distinct on (g.namespace, g.id) g.*, d.delay_ms
  from reserved r
    join given g on g.namespace = r.namespace and g.id = r.job_id
    join unnest($18::bigint[]) with ordinality d (delay_ms, nth) on d.nth = g.nth
  order by g.namespace, g.id, g.nth
),
created as (
  insert into ${t.job} (namespace, id, name, source, app, generation, handler, queue, priority, trigger, trigger_type,
    time_zone, payload, metadata, policies, definition_hash, fired, revision, created_at, updated_at)
  select namespace, id, name, source, app, $19::int, handler, queue, priority, trigger::json, trigger::json ->> 'type',
    time_zone, payload::json, metadata::jsonb, policies::json, hash, 0, 1, ${now}, ${now}
  from first order by nth
  returning uid, namespace, id
),
counted as (
  insert into ${t.job_stat} (job_uid) select uid from created
),
stands as (
  insert into ${t.cursor} (job_uid, namespace, handler, queue, next_at, delay_ms, revision, fired, app)
  select c.uid, f.namespace, f.handler, f.queue, f.given_at, f.delay_ms, 1, 0, f.app
  from created c full join first f on f.namespace = c.namespace and f.id = c.id
  where coalesce(f.given_at > '-infinity', false)
  returning next_at
),
${tellDue(t, 'cursor', 'select min(next_at) from stands')}
select ${ms(now)} as created_at, ${storedKeys('id')}, ${pausesColumn(t)}, ${toldColumn}`;
}
