/**
 * Time in statements. All instants cross as epoch milliseconds, `Infinity` included: in as float8, out as numeric. Both are exact for every instant that Date can hold, whatever
 * DateStyle and time zone the session has. Nothing comes out as float8, whose text has as many digits as `extra_float_digits` says: behind a pooler a role's setting of that may come with
 * any statement.
 *
 * The first parameter of every statement stands in for the database's clock in tests; null: the database's own. Cut
 * to milliseconds, so that what is stored comes back as what it was.
 */
export const now = `coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', now()))`;

/**
 * The same when the statement came. A transaction that waits for a lock, or for its caller, has begun before others have written: what is written behind the lock of a flow goes by this, so that no step
 * is released before its parents have ended.
 */
export const moment = `coalesce(to_timestamp($1::float8 / 1000), date_trunc('milliseconds', statement_timestamp()))`;

/** Milliseconds to an instant. */
export function at(ms: string): string {
  return `to_timestamp(${ms} / 1000)`;
}

/** An instant to milliseconds. */
export function ms(instant: string): string {
  return `(extract(epoch from ${instant}) * 1000)::numeric`;
}

/** The same to the millisecond, until the year 4147, and shorter: for what comes out by the thousand. Only `ms` knows Infinity, which a row may have by hand and no bigint has. */
export function quickMs(instant: string): string {
  return `case when isfinite(${instant}) then (date_part('epoch', ${instant}) * 1000)::bigint::numeric else ${ms(instant)} end`;
}

/** An instant this many milliseconds after another. */
export function after(instant: string, delayMs: string): string {
  return `${instant} + ${delayMs} * interval '1 millisecond'`;
}

/**
 * The database's clock in milliseconds when a row is made, with fractions: what workers go by until the next answer. The last column, as what comes before it may take its
 * time. Not before `now`, so what is due by it is due for all statements that follow.
 */
export const clock = `coalesce($1::float8::numeric, ${ms('clock_timestamp()')})`;
