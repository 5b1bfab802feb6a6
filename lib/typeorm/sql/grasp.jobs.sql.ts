import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** In the order in which they are locked. */
const parts = ['job', 'cursor', 'gap', 'run', 'dead', 'id', 'stat'];
const isQueued = `(r.blocked and r.origin = 'backfill')`;

/**
 * $1 time · $2 jobs
 *
 * `free`: locks those recurring jobs that can be changed without waiting for anybody: with their cursors, their open gaps, their runs without verdict, their dead letters, the rows that hold their ids and
 * their statistics, in the order in which they are locked everywhere. A job of which somebody else has locked any of these does not come out.
 *
 * What waits in the queue of a backfill comes last, and only of jobs of which all else is free: there may be very many of these runs, and nobody else touches them.
 *
 * `all`: waits for each of these rows in its turn, but for those. What comes out says nothing, as it goes by what was there before the waiting; the other kind tells, after it, in the same transaction.
 */
export function graspJobsSql(t: TableNames, which: 'free' | 'all'): string {
  const passing = which === 'free' ? ' skip locked' : '';
  const of = 'any (array(select uid from job_row))';
  return `
with job_row as materialized (
  select j.uid, j.namespace, j.id, j.open_gap from ${t.job} j where j.uid = any ($2::bigint[]) order by j.uid for update${passing}
),
cursor_row as materialized (
  select c.job_uid from ${t.cursor} c where c.job_uid = ${of} order by c.job_uid for update${passing}
),
gap_row as materialized (
  select g.id from ${t.gap} g where g.id = any (array(select open_gap from job_row)) order by g.id for update${passing}
),
run_row as materialized (
  select r.id from ${t.run} r where r.job_uid = ${of} and r.verdict is null and not ${isQueued} order by r.id for update${passing}
),
dead_row as materialized (
  select r.id from ${t.run} r where r.dead_of = ${of} order by r.id for update${passing}
),
id_row as materialized (
  select r.id, j.uid from job_row j join ${t.run} r on r.namespace = j.namespace and r.job_id = j.id and r.keyed
  for update of r${passing}
),
stat_row as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of} order by s.job_uid for update${passing}
)${which === 'free' ? freeOnes(t) : '\nselect ' + parts.map((part) => `(select count(*) from ${part}_row)`).join(' + ') + `::int as locked, ${ms(now)} as now`}`;
}

function freeOnes(t: TableNames): string {
  return `,
free as materialized (
  select j.uid from job_row j
  where not exists (select from ${t.cursor} c where c.job_uid = j.uid and c.job_uid not in (select job_uid from cursor_row))
    and not exists (select from ${t.gap} g where g.id = j.open_gap and g.id not in (select id from gap_row))
    and not exists (
      select from ${t.run} r where r.job_uid = j.uid and r.verdict is null and not ${isQueued} and r.id not in (select id from run_row)
    )
    and not exists (select from ${t.run} r where r.dead_of = j.uid and r.id not in (select id from dead_row))
    and j.uid in (select uid from id_row)
    and not exists (select from ${t.job_stat} s where s.job_uid = j.uid and s.job_uid not in (select job_uid from stat_row))
),
queued_row as materialized (
  select r.id from ${t.run} r where r.job_uid = any (array(select uid from free)) and r.verdict is null and ${isQueued} order by r.id for update skip locked
)
select j.uid::text, ${ms(now)} as now from free j
where not exists (
  select from ${t.run} r where r.job_uid = j.uid and r.verdict is null and ${isQueued} and r.id not in (select id from queued_row)
)
order by j.uid`;
}
