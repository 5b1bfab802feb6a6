import { firstBackfilled } from './backfill.queue.fragment.js';
import type { TableNames } from './table.names.js';

/**
 * CTEs after one named `caught`, whose rows are locked runs (`id, job_uid, blocks`): `jammed (job_uid)` are those of their jobs of which somebody else has locked what the
 * end of a run writes: the statistics, a cursor with a fixed delay, or the runs that it lets go. All that is not jammed is locked, so that no statement after this one,
 * in the same transaction, waits for anybody. `ends`: which of the caught may end. What was changed or removed at this very moment counts as locked, too: another try tells.
 */
export function jammed(t: TableNames, ends: string): string {
  const of = jobsOf(ends);
  return `${endRows(t, ends, ' skip locked')},
jammed as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of} and s.job_uid not in (select job_uid from stat_row)
  union
  select c.job_uid from ${t.cursor} c
  where c.job_uid = ${of} and c.delay_ms is not null and c.job_uid not in (select job_uid from delay_row)
  union
  select n.job_uid from next_run n where n.id not in (select id from next_row)
)`;
}

/** The locks of it alone: `stat_row`, `delay_row` and `next_row`, each waited for in its turn. */
export function awaitedEndRows(t: TableNames): string {
  return endRows(t, 'true', '');
}

const jobsOf = (ends: string): string =>
  `any (array(select distinct job_uid from caught where job_uid is not null and ${ends}))`;

function endRows(t: TableNames, ends: string, passing: string): string {
  const of = jobsOf(ends);
  return `
stat_row as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of} order by s.job_uid for update${passing}
),
delay_row as materialized (
  select c.job_uid from ${t.cursor} c where c.job_uid = ${of} and c.delay_ms is not null order by c.job_uid for update${passing}
),
next_run as materialized (
  select r.id, r.job_uid from ${t.run} r where r.job_uid = ${jobsOf(`${ends} and blocks`)} and r.blocked and r.origin <> 'backfill'
  union all${firstBackfilled(t, `(select distinct job_uid from caught where job_uid is not null and ${ends} and blocks)`, 'and r.blocked')}
),
next_row as materialized (
  select r.id from ${t.run} r where r.id = any (array(select id from next_run)) and r.blocked order by r.id for update${passing}
)`;
}
