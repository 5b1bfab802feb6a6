// $1 time, $2 a bigint that is no number of JavaScript, $3 a document.
// Answers as the statements of Chronis need it, or a setting or the driver changes what crosses.
export function selfTestSql(): string {
  return `
select $1::numeric as time, $2::int8 as big, $3::json as document,
  current_setting('default_transaction_isolation') as isolation, current_setting('lock_timeout') as lock_timeout`;
}
