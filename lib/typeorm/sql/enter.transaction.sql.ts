import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

// $1 time. Where a transaction of somebody else's is: which installation, which isolation; and the time at this very moment. To its end instants are
// read with all digits and lists may hold null, whatever the role says.
export function enterTransactionSql(t: TableNames): string {
  return `
select ${ms(`coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', clock_timestamp()))`)} as now,
  current_setting('transaction_isolation') as isolation,
  set_config('extra_float_digits', greatest(current_setting('extra_float_digits')::int, 1)::text, true),
  set_config('array_nulls', 'on', true),
  (select value from ${t.meta} where key = 'install_id') as value`;
}
