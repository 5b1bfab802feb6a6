// $1 time, $2 name of a setting. Its value, and who has set it.
export function whereSetSql(): string {
  return `
select setting as value, source, quote_ident(current_user) as role, quote_ident(current_database()) as database, $1::numeric as time
from pg_settings where name = $2`;
}
