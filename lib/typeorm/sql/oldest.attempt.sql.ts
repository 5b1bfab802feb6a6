import type { TableNames } from './table.names.js';
import { ms, now } from './time.fragment.js';

// $1 time. When the ledger begins; null: it is empty.
export function oldestAttemptSql(t: TableNames): string {
  return `select ${ms('min(finished_at)')} as oldest, ${ms(now)} as now from ${t.attempt}`;
}
