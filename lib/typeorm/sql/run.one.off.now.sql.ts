import type { TableNames } from './table.names.js';
import { now } from './time.fragment.js';
import { tellDue, toldColumn } from './wake.fragment.js';

// $1 time · $2 run that waits, locked. Due now, which ends its pause.
export function runOneOffNowSql(t: TableNames): string {
  return `
with due as (
  update ${t.run} set due_at = ${now}, held = false, held_due_at = null,
    paused_at = null, paused_reason = null, paused_by = null, revision = revision + 1, updated_at = ${now}
  where id = $2::bigint
  returning due_at
),
${tellDue(t, 'run', 'select due_at from due')}
select ${toldColumn} from due`;
}
