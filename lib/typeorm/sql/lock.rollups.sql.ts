import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

/** $1 time. One at a time counts: whoever comes later waits here. Gives how far the counting is. */
export function lockRollupsSql(t: TableNames): string {
  return `
insert into ${t.meta} as m (key, value) values ('statistics', '')
on conflict (key) do update set value = m.value
returning nullif(value, '') as mark, ${ms(now)} as now`;
}

/** $1 time · $2 how far the counting is */
export function markRollupsSql(t: TableNames): string {
  return `update ${t.meta} set value = $2 where key = 'statistics' and value is distinct from $2 returning $1::numeric as now`;
}

/** $1 time. How far the counting is, and where the ledger begins. */
export function readRollupsSql(t: TableNames): string {
  return `
select nullif((select value from ${t.meta} where key = 'statistics'), '') as mark,
  (select ${ms('min(finished_at)')} from ${t.attempt}) as oldest, ${ms(now)} as now`;
}

/** $1 time. How far the counting is. */
export function readRollupMarkSql(t: TableNames): string {
  return `select nullif(value, '') as mark, $1::numeric as now from ${t.meta} where key = 'statistics'`;
}
