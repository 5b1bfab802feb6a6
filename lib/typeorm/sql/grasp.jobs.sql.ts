import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 jobs
 *
 * Locks those recurring jobs that can be changed without waiting for anybody: with their cursors, their open gaps, their runs without verdict, their dead letters, the rows that hold their ids and
 * their statistics, in the order in which they are locked everywhere. A job of which somebody else has locked any of these does not come out.
 */
export function graspJobsSql(t: TableNames): string {
  const of = 'any (array(select uid from job_row))';
  return `
with job_row as materialized (
  select j.uid, j.namespace, j.id, j.open_gap from ${t.job} j where j.uid = any ($2::bigint[]) order by j.uid for update skip locked
),
cursor_row as materialized (
  select c.job_uid from ${t.cursor} c where c.job_uid = ${of} order by c.job_uid for update skip locked
),
gap_row as materialized (
  select g.id from ${t.gap} g where g.id = any (array(select open_gap from job_row)) order by g.id for update skip locked
),
run_row as materialized (
  select r.id from ${t.run} r where r.job_uid = ${of} and r.verdict is null order by r.id for update skip locked
),
dead_row as materialized (
  select r.id from ${t.run} r where r.dead_of = ${of} order by r.id for update skip locked
),
id_row as materialized (
  select r.id, j.uid from job_row j join ${t.run} r on r.namespace = j.namespace and r.job_id = j.id and r.keyed
  for update of r skip locked
),
stat_row as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of} order by s.job_uid for update skip locked
)
select j.uid::text, ${ms(now)} as now from job_row j
where not exists (select from ${t.cursor} c where c.job_uid = j.uid and c.job_uid not in (select job_uid from cursor_row))
  and not exists (select from ${t.gap} g where g.id = j.open_gap and g.id not in (select id from gap_row))
  and not exists (select from ${t.run} r where r.job_uid = j.uid and r.verdict is null and r.id not in (select id from run_row))
  and not exists (select from ${t.run} r where r.dead_of = j.uid and r.id not in (select id from dead_row))
  and j.uid in (select uid from id_row)
  and not exists (select from ${t.job_stat} s where s.job_uid = j.uid and s.job_uid not in (select job_uid from stat_row))
order by j.uid`;
}
