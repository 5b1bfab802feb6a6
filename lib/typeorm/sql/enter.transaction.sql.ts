import { isReadOnlyItself } from './read.only.fragment.js';
import type { TableNames } from './table.names.js';
import { ms } from './time.fragment.js';

/** A setting of the transaction's own: the deadline of the caller's statements. */
const formerTimeout = 'chronis.statement_timeout';

// $1 time. Where a transaction of somebody else's is: which installation, which isolation; the time at this very moment; and something that shows how rows are read. To its end instants are
// read with all digits and lists may hold null, whatever the role says.
// `longestMs`: how long each statement of the call may take, where nobody has set less: the server is to end one before the client does, as the client can only
// end the connection, and with it the transaction. It holds until `leaveTransactionSql`.
export function enterTransactionSql(t: TableNames, longestMs: number): string {
  return `
select ${ms(`coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', clock_timestamp()))`)} as now,
  current_setting('transaction_isolation') as isolation, ${isReadOnlyItself} as read_only, '{"a_name":[1]}'::json as sample,
  set_config('extra_float_digits', greatest(current_setting('extra_float_digits')::int, 1)::text, true),
  set_config('array_nulls', 'on', true),
  set_config('${formerTimeout}', current_setting('statement_timeout'), true),
  set_config('statement_timeout',
    case when current_setting('statement_timeout')::interval between interval '1 ms' and interval '${longestMs} ms'
      then current_setting('statement_timeout') else '${longestMs}' end, true),
  (select value from ${t.meta} where key = 'install_id') as value`;
}

/** Gives the caller's statements the deadline back that they had. A rollback to before `enterTransactionSql` does so, too. */
export const leaveTransactionSql = `select set_config('statement_timeout', current_setting('${formerTimeout}'), true)`;
