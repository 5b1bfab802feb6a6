import { waitsForRuns } from './run.wait.fragment.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · $2 run, after which to look on · $3 how many rows
 *
 * Of what waits, in the order of their ids, what has ended without their being told, or is gone since, with how that has ended as the ledger has it: a release that knows nothing of them has ended it. What belongs to runs that do not wait any more goes. \`last\`: the last one that it has looked at; null: there is none after.
 */
export function findLostWaitsSql(t: TableNames): string {
  return `
with looked as materialized (
  select w.child, w.nth, w.parent, w.verdict, w.gone from ${t.run_wait} w where w.child > $2::bigint order by w.child, w.nth limit $3
),
waiting as materialized (
  select l.*, (select count(*) from ${t.run} r where r.id = l.child and ${waitsForRuns('r')}) > 0 as waits,
    (select case when p.verdict is null then 'goes on' else p.verdict end from ${t.run} p where p.id = l.parent) as state
  from looked l
),
dropped as (
  delete from ${t.run_wait} w using waiting l where not l.waits and w.child = l.child and w.nth = l.nth
)
select ${ms(now)} as now, (select max(child)::text from looked) as last,
  (
    select json_agg(json_build_object('id', l.parent::text, 'verdict', coalesce(l.state, a.outcome)))
    from (
      select distinct parent, state from waiting
      where waits and state is distinct from 'goes on' and case when verdict is null then true when gone or verdict = 'succeeded' then false else state is null end
    ) l left join lateral (select a.outcome from ${t.attempt} a where a.run_id = l.parent and a.final limit 1) a on true
  ) as runs`;
}
