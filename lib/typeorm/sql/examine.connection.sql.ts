// $1 time. Whether a new connection leads to a server that takes changes.
export function examineConnectionSql(): string {
  return `
select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as read_only, $1::numeric as time`;
}
