import { jobs, notes } from './chaos.options.js';

/** Something that must never be: a query whose rows are the violations, each with one text column. */
export interface Check {
  name: string;
  sql: string;
}

/** What is due by the definition of a job, from its first instant on; `stop`: where it was orphaned, or its end. */
export const dueInstants = `
seen as (
  select job_id, nominal_at from ${jobs}.attempt
  union select job_id, nominal_at from ${jobs}.run where origin <> 'reserved'
), span as (
  select j.id, j.created_at, (j.metadata ->> 'everyMs')::int * interval '1 ms' as step,
    (j.trigger ->> 'startAt')::timestamptz as start_at,
    least((select min(nominal_at) from seen where job_id = j.id),
      (select min(from_at) from ${jobs}.gap where job_id = j.id)) as first,
    coalesce((select min(from_at) from ${jobs}.gap where job_id = j.id and until_at is null),
      (j.trigger ->> 'endAt')::timestamptz + interval '1 ms') as stop
  from ${jobs}.job j where j.source = 'code' and j.id not like '%-changing'
), due as (
  select id, at from span, generate_series(first, stop - interval '1 ms', step) at
)`;

/** Not in a time whose commits may be lost: what was committed apart from the verdict may be gone then. */
const kept = (from: string, until: string): string => `
  and not exists (select from ${notes}.fault f where ${from} < f.until and ${until} > f.lost_from)`;

/** Every occurrence that succeeded has left its effect. */
const withoutEffect = (manner: string): Check => ({
  name: `succeeded without an effect (${manner})`,
  sql: `select a.job_id || ' ' || a.nominal_at || ' run ' || a.run_id from ${jobs}.attempt a
    where a.final and a.outcome = 'succeeded' and a.job_id like '${manner}-%'${manner === 'transaction' ? '' : kept('a.started_at', 'a.finished_at')}
      and not exists (select from ${notes}.${manner}_effect e where e.job_id = a.job_id and e.nominal_at = a.nominal_at)`,
});

export const checks: readonly Check[] = [
  {
    name: 'instants without a verdict',
    sql: `with ${dueInstants}
      select id || ' ' || at from due
      where not exists (select from ${jobs}.attempt a where a.final and a.job_id = due.id and a.nominal_at = at)
        and not exists (select from ${jobs}.gap g where g.job_id = due.id and at between g.from_at and coalesce(g.until_at, 'infinity'))
      union all
      select id || ' began late: ' || first from span where created_at < start_at and first >= start_at + step
      union all
      select id || ' never fired' from span where first is null and id not like '%-release-%'`,
  },
  {
    name: 'instants with two verdicts',
    sql: `select job_id || ' ' || nominal_at from ${jobs}.attempt where final group by job_id, nominal_at having count(*) > 1
      union all
      -- Not of a job that had the id before: where the clock was ahead, its gap may reach into the life of this one.
      select a.job_id || ' ' || a.nominal_at || ' ran and is in a gap' from ${jobs}.attempt a join ${jobs}.gap g
        on g.job_uid = a.job_uid and a.nominal_at between g.from_at and coalesce(g.until_at, 'infinity') where a.final`,
  },
  {
    name: 'instants created twice',
    sql: `select job_id || ' ' || nominal_at from ${jobs}.attempt
      group by job_id, nominal_at having count(distinct run_id) > 1`,
  },
  {
    name: 'one-offs without exactly one verdict',
    sql: `select o.job_id from ${notes}.one_off o
      where (select count(*) from ${jobs}.attempt a where a.final and a.job_id = o.job_id) <> 1`,
  },
  {
    name: 'runs without exactly one verdict',
    sql: `select job_id || ' run ' || run_id from ${jobs}.attempt
      group by job_id, run_id having count(*) filter (where final) <> 1
      union all
      select job_id || ' run ' || id || ' is not finished' from ${jobs}.run where origin <> 'reserved' and verdict is null`,
  },
  {
    name: 'stale writes accepted',
    sql: `select job_id || ' run ' || run_id || ': two results with fence ' || fence from ${jobs}.attempt
      -- What was cancelled while it waited is nobody's result, and has the fence of its last claim.
      where worker is not null
      group by job_id, run_id, fence having count(*) > 1
      union all
      select a.job_id || ' run ' || a.run_id || ' went on after its verdict' from ${jobs}.attempt a
        join ${jobs}.attempt f on f.run_id = a.run_id and f.final and f.fence < a.fence
      union all
      select e.job_id || ' run ' || e.run_id || ': an effect of an attempt that did not succeed'
      from ${notes}.transaction_effect e where not exists (select from ${jobs}.attempt a
        where a.run_id = e.run_id and a.attempt = e.attempt and a.final and a.outcome = 'succeeded')`,
  },
  {
    name: 'doubles (plain)',
    sql: `select e.job_id || ' ' || e.nominal_at from ${notes}.plain_effect e
      where true ${kept("e.nominal_at - interval '30 s'", "e.nominal_at + interval '30 s'")}
      group by e.job_id, e.nominal_at having count(*) > 1 and not exists (select from ${jobs}.attempt a
        where a.job_id = e.job_id and a.nominal_at = e.nominal_at and a.outcome in ('lost', 'timed_out', 'handed_back'))
      union all
      select e.job_id || ' ' || e.nominal_at || ' with recovery: abandon' from ${notes}.plain_effect e
      where e.job_id like 'plain-abandon%' ${kept("e.nominal_at - interval '30 s'", "e.nominal_at + interval '30 s'")} group by e.job_id, e.nominal_at having count(*) > 1`,
  },
  {
    name: 'doubles (unique)',
    sql: `select job_id || ' ' || nominal_at from ${notes}.unique_effect group by job_id, nominal_at having count(*) > 1`,
  },
  {
    name: 'doubles (transaction)',
    sql: `select job_id || ' ' || nominal_at from ${notes}.transaction_effect group by job_id, nominal_at having count(*) > 1`,
  },
  ...['plain', 'unique', 'transaction'].map(withoutEffect),
];
