/** Whether the transaction itself was begun as read-only: the server and the connection take changes. */
export const isReadOnlyItself = `(current_setting('transaction_read_only') = 'on'
    and current_setting('default_transaction_read_only') = 'off' and not pg_is_in_recovery())`;
