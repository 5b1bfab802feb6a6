import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

// $1 time. Where a transaction of somebody else's is: which installation, which isolation; and the time at this very moment.
export function enterTransactionSql(t: TableNames): string {
  return `
select ${ms(`coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', clock_timestamp()))`)} as now,
  current_setting('transaction_isolation') as isolation,
  (select value from ${t.meta} where key = 'install_id') as value`;
}
