import type { TableNames } from './table.names.js';

/**
 * CTEs after one named `caught`, whose rows are locked runs (`id, job_uid, blocks`): `jammed (job_uid)` are those of their jobs of which somebody else has locked what the
 * end of a run writes: the statistics, a cursor with a fixed delay, or the runs that wait for this one. All that is not jammed is locked, so that no statement after this one,
 * in the same transaction, waits for anybody. `ends`: which of the caught may end. What was changed or removed at this very moment counts as locked, too: another try tells.
 */
export function jammed(t: TableNames, ends: string): string {
  const of = (condition = 'true'): string =>
    `any (array(select distinct job_uid from caught where job_uid is not null and ${ends} and ${condition}))`;
  return `
stat_row as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of()} order by s.job_uid for update skip locked
),
delay_row as materialized (
  select c.job_uid from ${t.cursor} c where c.job_uid = ${of()} and c.delay_ms is not null order by c.job_uid for update skip locked
),
next_row as materialized (
  select r.id, r.job_uid from ${t.run} r where r.job_uid = ${of('blocks')} and r.blocked order by r.id for update skip locked
),
jammed as materialized (
  select s.job_uid from ${t.job_stat} s where s.job_uid = ${of()} and s.job_uid not in (select job_uid from stat_row)
  union
  select c.job_uid from ${t.cursor} c
  where c.job_uid = ${of()} and c.delay_ms is not null and c.job_uid not in (select job_uid from delay_row)
  union
  select r.job_uid from ${t.run} r
  where r.job_uid = ${of('blocks')} and r.blocked and r.id not in (select id from next_row)
)`;
}
