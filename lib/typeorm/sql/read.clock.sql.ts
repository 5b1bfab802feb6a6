import { ms } from './time.fragment.js';

// $1 time. Not the beginning of the transaction, as `now()` is, but this very moment.
export function readClockSql(): string {
  return `select ${ms(`coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', clock_timestamp()))`)} as now`;
}
