// $1 time, $2 an instant with a fraction of a millisecond, $3 texts of which the first is null, $4 a bigint that is no number of JavaScript, $5 a document.
// Answers as the statements of Chronis need it, or a setting or the driver changes what crosses.
export function selfTestSql(): string {
  return `
select $1::float8 as time, $2::float8 as instant, ($3::text[])[1] is null as nulls, $4::int8 as big, $5::json as document,
  current_setting('default_transaction_isolation') as isolation, current_setting('lock_timeout') as lock_timeout`;
}
