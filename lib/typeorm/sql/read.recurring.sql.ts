import { pauseEndOf } from './pause.end.fragment.js';
import type { TableNames } from './table.names.js';
import { changesOf } from './changes.fragment.js';
import { after, ms, now } from './time.fragment.js';

/**
 * `some`: $1 time · $2 jobs, which are locked · $3 whether with payloads — `app`: $1 time · $2 app: its declared jobs; and those of other apps · with the namespaces $3 and ids $4, now or before · that are
 * one of $5, or had no worker for $6 ms. Which of these are to be changed is not known yet, so they are not locked, see `graspJobsSql`.
 *
 * Recurring jobs with all that a change needs to know.
 */
export function readRecurringSql(t: TableNames, which: 'some' | 'app'): string {
  const mayBeTaken = `other.source = 'code' and other.app <> $2 and (other.app = any ($5::text[]) or not exists (
      select from ${t.worker} w where w.app = other.app and w.lease_until > ${after(now, '-$6::float8')}
    ))`;
  const where = {
    some: 'j.uid = any ($2::bigint[])',
    app: `j.uid in (
    select own.uid from ${t.job} own where own.app = $2 and own.source = 'code'
    union all
    select other.uid from ${t.job} other
      join (select distinct u.namespace, u.id from unnest($3::text[], $4::text[]) u (namespace, id)) wanted
        on wanted.namespace = other.namespace and wanted.id = other.id
    where ${mayBeTaken}
    union all
    select other.uid from ${t.job} other
    where other.previous_ids <> '{}' and exists (
      select from unnest($3::text[], $4::text[]) u (namespace, id) where u.namespace = other.namespace and u.id = any (other.previous_ids)
    ) and ${mayBeTaken}
  )`,
  }[which];
  const payload = which === 'some' ? 'case when $3::boolean then j.payload end as payload' : 'j.payload';
  return `
select j.uid::text, j.namespace, j.id, j.name, j.handler, j.queue, j.priority, j.trigger, j.time_zone, ${payload},
  j.metadata, j.policies, j.source, j.app, j.definition_hash, j.generation, j.revision, j.fired, ${ms('j.fired_until')} as fired_until,
  ${ms('j.created_at')} as created_at, ${ms('j.paused_at')} as paused_at, j.paused_reason, j.paused_by, ${ms(pauseEndOf(t, 'j', 'id'))} as paused_until,
  ${ms('j.orphaned_at')} as orphaned_at, j.orphaned_reason, to_json(j.previous_ids) as previous_ids,
  ${changesOf('j')} as changed,
  (select ${ms('c.fired_until')} from ${t.cursor} c where c.job_uid = j.uid) as cursor_fired_until,
  g.id::text as gap_id, ${ms('g.from_at')} as gap_from, g.verdict as gap_verdict, ${ms(now)} as now
from ${t.job} j left join ${t.gap} g on g.id = j.open_gap
where ${where} order by j.uid`;
}
