import { waitsForRuns } from './run.wait.fragment.js';
import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

/** $1 time · $2 runs that have ended, or are gone. What waits for them, locked: the others that it waits for and that end at the same time are counted before or after. */
export function lockWaitingSql(t: TableNames): string {
  return `
select r.id::text, ${ms(now)} as now from ${t.run} r
where r.id = any (array(
    select w.child from unnest($2::bigint[]) u (id) cross join lateral (select w.child from ${t.run_wait} w where w.parent = u.id offset 0) w
  ))
order by r.id for update`;
}

/**
 * $1 time · $2 runs that have ended, or are gone · $3 what they have ended as; null: as is known · after `lockWaitingSql`
 *
 * Writes that down, counts, and decides as \`fateOf\` does: what is let go is due after its delay. What is to be cancelled comes out with those of its parents that have not ended well. One that cannot be found any more as a dead letter can never be retried.
 */
export function advanceWaitsSql(t: TableNames): string {
  const due = after(now, "coalesce((f.trigger ->> 'delay')::float8, 0)");
  return `
with noted as (
  update ${t.run_wait} w set verdict = coalesce(u.verdict, w.verdict, 'lost'),
    gone = coalesce(u.verdict, w.verdict, 'lost') <> 'succeeded' and not exists (
      select from ${t.run} p where p.id = w.parent and p.verdict in ('failed', 'timed_out', 'lost')
    )
  from unnest($2::bigint[], $3::text[]) u (parent, verdict) where w.parent = u.parent
  returning w.child, w.nth, w.verdict, w.gone
),
counted as materialized (
  select w.child, count(*) as parents, count(*) filter (where w.verdict = 'succeeded') as ok,
    count(*) filter (where w.verdict <> 'succeeded') as bad, count(*) filter (where w.gone) as gone,
    json_agg(json_build_object('id', w.parent_id, 'verdict', w.verdict) order by w.nth) filter (where w.verdict <> 'succeeded') as badly
  from (
    select w.child, w.nth, w.parent_id, coalesce(n.verdict, w.verdict) as verdict, coalesce(n.gone, w.gone) as gone
    from (select distinct child from noted) c
      cross join lateral (select w.* from ${t.run_wait} w where w.child = c.child offset 0) w
      left join noted n on n.child = w.child and n.nth = w.nth
  ) w group by w.child
),
fated as materialized (
  select c.child, c.badly, r.trigger, case
      when c.ok >= c.need or (c.otherwise = 'run' and c.ok + c.bad = c.parents) then 'run'
      when c.otherwise <> 'run' and c.parents - (case when c.otherwise = 'cancel' then c.bad else c.gone end) < c.need then 'cancel'
    end as fate
  from (
    select c.*, coalesce((r.trigger ->> 'need')::int, c.parents) as need, coalesce(r.trigger ->> 'otherwise', 'block') as otherwise
    from counted c cross join lateral (select r.trigger from ${t.run} r where r.id = c.child and ${waitsForRuns('r')} offset 0) r
  ) c cross join lateral (select r.trigger from ${t.run} r where r.id = c.child offset 0) r
),
freed as (
  update ${t.run} r set nominal_at = ${due}, due_at = case when not r.held then ${due} end, held_due_at = case when r.held then ${due} end
  from fated f where f.fate = 'run' and r.id = any (array(select child from fated where fate = 'run')) and r.id = f.child
  returning r.due_at
),
${tellDue(t, 'run', 'select min(due_at) from freed')}
select (select json_agg(json_build_object('id', child::text, 'badly', badly)) from fated where fate = 'cancel') as cancelled, ${toldColumn}`;
}

/** $1 time · $2 run in whose place, by hand, there is another one · $3 that one. What waits for the one waits for the other, and how the one ended does not count any more. */
export function moveWaitsSql(t: TableNames): string {
  return `
with moved as (
  update ${t.run_wait} w set parent = $3::bigint, verdict = null, gone = false where w.parent = $2::bigint and w.verdict is distinct from 'succeeded' returning 1
),
marked as (
  update ${t.run} r set blocks = true where r.id = $3::bigint and exists (select from moved)
)
select count(*)::int as moved, ${ms(now)} as now from moved`;
}
