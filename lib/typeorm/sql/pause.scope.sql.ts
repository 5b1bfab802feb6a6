import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';
import { tellChange } from './wake.fragment.js';

// $1 time · $2 kind · $3 name · $4 reason · $5 by. The first pause stays.
export function pauseScopeSql(t: TableNames): string {
  return `
insert into ${t.pause} as p (kind, name, paused_at, paused_reason, paused_by) values ($2, $3, ${now}, $4, $5)
on conflict (kind, name) do update set kind = excluded.kind
returning kind, name, ${ms('p.paused_at')} as paused_at, paused_reason, paused_by${tellChange(t)}`;
}
