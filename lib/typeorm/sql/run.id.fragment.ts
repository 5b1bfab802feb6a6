/** Hundredths of a second from 1970 to 2025. */
const beginning = 173_568_960_000;
const numberBits = 25;

/**
 * A new id of a run: the hundredth of a second in which its statement began, and in the last 25 bits the next number of a sequence. So ids grow, and those of one
 * statement in the order of its rows, but for the one in 33 million with which the numbers begin anew. A clock that stands before 2025 gives the time 0, and ids that grow by their numbers only.
 *
 * A server that has lost its last commits (a failover to a standby that was behind, a crash with synchronous_commit off, a backup that was restored) counts from an older number, but at
 * a later time. Where its clock is behind as well, the times come again: the numbers are therefore moved by the time at which the server was started, so that they are others. Where only the
 * clock goes back, the sequence does not. Until the year 2112.
 */
export function runIdFrom(sequence: string): string {
  const moment = `greatest(floor(date_part('epoch', statement_timestamp()) * 100)::bigint - ${beginning}, 0)`;
  const started = `floor(date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint`;
  return `(((${moment}) << ${numberBits}) | ((nextval('${sequence}') + ${started}) & ${2 ** numberBits - 1}))`;
}
