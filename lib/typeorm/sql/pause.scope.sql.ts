import type { TableNames } from './table.names.js';
import { at, ms, now } from './time.fragment.js';
import { tellChange } from './wake.fragment.js';

// $1 time · $2 kind · $3 name · $4 reason · $5 by · $6 when it ends, in ms; null: it does not. The first pause stays, with the end of this one.
export function pauseScopeSql(t: TableNames): string {
  return `
with paused as (
  insert into ${t.pause} as p (kind, name, paused_at, paused_reason, paused_by) values ($2, $3, ${now}, $4, $5)
  on conflict (kind, name) do update set kind = excluded.kind
  returning kind, name, paused_at, paused_reason, paused_by
),
gone as (
  delete from ${t.pause_end} e
  where $6::float8 is null and e.kind = $2 and e.namespace = '' and e.name = $3 and e.until_at < 'infinity'
),
put as (
  insert into ${t.pause_end} (kind, namespace, name, paused_at, until_at)
  select p.kind, '', p.name, p.paused_at, ${at('$6::float8')} from paused p where $6::float8 is not null
  on conflict (kind, namespace, name) do update set paused_at = excluded.paused_at, until_at = excluded.until_at
)
select kind, name, ${ms('p.paused_at')} as paused_at, paused_reason, paused_by, $6::float8::numeric as until_at${tellChange(t)} from paused p`;
}
