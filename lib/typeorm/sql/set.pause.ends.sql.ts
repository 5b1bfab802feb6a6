import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellChange } from './wake.fragment.js';

/**
 * $1 time · $2 jobs · $3 runs of one-offs · $4 when their pauses end, in ms; null: they have no end · $5 whether that is all that changes
 *
 * Locked, and paused.
 */
export function setPauseEndsSql(t: TableNames): string {
  const touch = `revision = revision + 1, updated_at = ${now}`;
  return `
with paused as materialized (
  select namespace, id as name, paused_at from ${t.job} where uid = any ($2::bigint[])
  union all
  select namespace, job_id, paused_at from ${t.run} where id = any ($3::bigint[])
),
touched_job as (update ${t.job} set ${touch} where $5::boolean and uid = any ($2::bigint[])),
touched_run as (update ${t.run} set ${touch} where $5::boolean and id = any ($3::bigint[])),
gone as (
  delete from ${t.pause_end} e using paused p
  where $4::float8 is null and e.kind = 'job' and e.namespace = p.namespace and e.name = p.name
),
put as (
  insert into ${t.pause_end} (kind, namespace, name, paused_at, until_at)
  select 'job', p.namespace, p.name, p.paused_at, ${at('$4::float8')} from paused p
  where $4::float8 is not null and p.paused_at is not null
  on conflict (kind, namespace, name) do update set paused_at = excluded.paused_at, until_at = excluded.until_at
)
select ${ms(now)} as now${tellChange(t)}`;
}
