import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 kind · $3 name of a scope, whose pause is locked where there is one. Takes its end where that has come; something comes out where the pause stands that it was given with.
export function takeScopeEndSql(t: TableNames): string {
  return `
with taken as (
  delete from ${t.pause_end} e where e.kind = $2 and e.namespace = '' and e.name = $3 and e.until_at <= ${now}
  returning e.paused_at, e.until_at
)
select p.kind, p.name, ${ms('p.paused_at')} as paused_at, p.paused_reason, p.paused_by, ${ms('k.until_at')} as until_at, ${ms(now)} as now
from ${t.pause} p join taken k on k.paused_at = p.paused_at where p.kind = $2 and p.name = $3`;
}
