import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time · $2 job. Where it stands; nobody fires it until the transaction ends.
export function lockCursorSql(t: TableNames): string {
  return `
select ${ms('next_at')} as next_at, ${ms(now)} as now from ${t.cursor} where job_uid = $2::bigint for update`;
}
