import type { TableNames } from './table.names.js';
import { after, ms, now } from './time.fragment.js';

/** A change of many whose owner has let its lease end is told as interrupted since then. */
const isLost = `state = 'running' and lease_until <= ${now}`;
const shown = `
  id, tenant, action, filter, asked, actor, failed, problem, abort_requested,
  expected::numeric as expected, matched::numeric as matched, changed::numeric as changed,
  case when ${isLost} then 'interrupted' else state end as state,
  ${ms('created_at')} as created_at, ${ms(`case when ${isLost} then lease_until else ended_at end`)} as ended_at`;

// $1 time · $2 id · $3 tenant · $4 action · $5 filter · $6 expected · $7 asked · $8 actor · $9 owner · $10 lease in ms. No row: there is one with this id.
export function beginBulkActionSql(t: TableNames): string {
  return `
insert into ${t.bulk_action} (id, tenant, action, filter, expected, asked, actor, owner, lease_until, created_at)
values ($2::text, $3::text, $4::text, $5::json, $6::bigint, $7::text, $8::text, $9::text, ${after(now, '$10::float8')}, ${now})
on conflict (id) do nothing
returning ${shown}`;
}

// $1 time · $2 id · $3 owner · $4 state · $5 matched · $6 changed · $7 failed · $8 problem · $9 lease in ms
export function reportBulkActionSql(t: TableNames): string {
  return `
update ${t.bulk_action} set
  state = case when lease_until <= ${now} then 'interrupted' else $4::text end,
  ended_at = case when lease_until <= ${now} or $4::text <> 'running' then ${now} end,
  matched = $5::bigint, changed = $6::bigint, failed = $7::json, problem = $8::json, lease_until = ${after(now, '$9::float8')}
where id = $2::text and owner = $3::text and state = 'running'
returning ${shown}`;
}

// $1 time · $2 id
export function abortBulkActionSql(t: TableNames): string {
  return `
update ${t.bulk_action} set abort_requested = true where id = $2::text and state = 'running'
returning ${shown}`;
}

// $1 time · $2 id
export function readBulkActionSql(t: TableNames): string {
  return `
select ${shown} from ${t.bulk_action} where id = $2::text`;
}

// $1 time · $2 tenant; null: all · $3 how many
export function listBulkActionsSql(t: TableNames): string {
  return `
select ${shown} from ${t.bulk_action} b where $2::text is null or tenant = $2::text
order by b.created_at desc, b.id desc limit $3`;
}
