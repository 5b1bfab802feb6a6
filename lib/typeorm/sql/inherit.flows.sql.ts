import { isLiving } from './living.apps.sql.js';
import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 app that gets them · $3 apps. Workflows that go on, of those apps that have no live worker: what is released of them later is the new app's. `locked`: whose rows somebody else has locked.
export function inheritFlowsSql(t: TableNames): string {
  return `
with found as materialized (
  select f.id, f.app from ${t.flow} f where f.ended_at is null and f.app = any ($3::text[]) and not ${isLiving(t, 'f.app')}
),
free as materialized (
  select f.id from ${t.flow} f where f.id = any (array(select id from found)) order by f.id for no key update skip locked
),
taken as (
  update ${t.flow} f set app = $2 from free where f.id = free.id
)
select to_json(coalesce(array_agg(distinct f.app), '{}')) as locked, ${ms(now)} as now from found f where f.id not in (select id from free)`;
}
