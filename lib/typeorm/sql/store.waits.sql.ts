import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/**
 * $1 time · of each that waits for another: $2 namespace · $3 id · $4 id of the other · $5 which of its others, from 0
 *
 * Has one-offs that were stored a moment ago, by the same transaction, wait for others, which are locked: they lose their time, and the others are marked as what is waited for.
 */
export function storeWaitsSql(t: TableNames): string {
  const runOf = (id: string): string =>
    `cross join lateral (select r.id from ${t.run} r where r.namespace = u.namespace and r.job_id = ${id} and r.keyed offset 0)`;
  return `
with wait as materialized (
  select c.id as child, p.id as parent, u.parent_id, u.nth
  from unnest($2::text[], $3::text[], $4::text[], $5::int[]) u (namespace, child_id, parent_id, nth)
    ${runOf('u.child_id')} c ${runOf('u.parent_id')} p
),
stored as (
  insert into ${t.run_wait} (child, nth, parent, parent_id) select child, nth, parent, parent_id from wait
),
marked as (
  update ${t.run} r set
    due_at = case when m.waits then null else r.due_at end,
    blocks = r.blocks or m.awaited
  from (
    select n.id, bool_or(n.waits) as waits, bool_or(not n.waits) as awaited
    from (select child as id, true as waits from wait union all select parent, false from wait) n group by n.id
  ) m where r.id = any (array(select child from wait union select parent from wait)) and r.id = m.id
)
select count(*)::int as stored, ${ms(now)} as now from wait`;
}
