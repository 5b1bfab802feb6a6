import { isReadOnlyItself } from './read.only.fragment.js';
import type { TableNames } from './table.names.js';

// Of a transaction that a handler begins: which installation it is in. `idleMs`: how long the server lets it be without a statement, where nobody has set that; a
// process that freezes within keeps the locks of the handler for so long. All digits of instants are read, whatever the role says.
export function enterRunTransactionSql(t: TableNames, idleMs: number): string {
  return `
select set_config('idle_in_transaction_session_timeout',
    case when current_setting('idle_in_transaction_session_timeout') = '0' then '${idleMs}' else current_setting('idle_in_transaction_session_timeout') end, true),
  set_config('extra_float_digits', greatest(current_setting('extra_float_digits')::int, 1)::text, true),
  set_config('array_nulls', 'on', true), current_setting('transaction_isolation') as isolation, ${isReadOnlyItself} as read_only,
  (select value from ${t.meta} where key = 'install_id') as value`;
}
