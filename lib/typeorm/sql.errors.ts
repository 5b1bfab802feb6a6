import { ChronisError, InvalidPayloadError, StorageBusyError, StorageError } from '../model/errors.js';
import { ReadOnlyServerError } from './examination.js';

/** Serialization failure, deadlock, lock not available: nothing was done, and another attempt may succeed. */
const worthAnotherAttempt = new Set(['40001', '40P01', '55P03']);
/** A lock was not to be had in time; the server's deadline for a statement is over. */
const waitedTooLong = new Set(['55P03', '57014']);
/** What pg says when its own deadline is over, without a code. */
const noAnswer = 'Query read timeout';
const unanswered =
  '. A statement had no answer in time (statementTimeoutMs): another session has locked what it needs (see pg_stat_activity and pg_blocking_pids(); end that one), or the server is overloaded or out of reach.';
const withoutRight =
  '. The role needs usage on the schema, and select, insert, update and delete on all tables in it (grant …).';
const withoutTables =
  ". The tables are gone, or not there yet, or are of another version: start once with migrate: 'auto' or 'check', which brings what is missing or says it by name (only a backup brings back what a table held). If TypeORM has dropped them, take chronisEntities() out of the DataSource that has dropSchema.";
/** What is missing that nobody but its owner can bring: a right; a table, a column, a schema. */
const missing: ReadonlyMap<string, string> = new Map([
  ['42501', withoutRight],
  ['42P01', withoutTables],
  ['42703', withoutTables],
  ['3F000', withoutTables],
]);
const withoutPartition =
  '. The ledger has no partition for that day, and its default partition is detached or gone: chronis doctor gives the statement that brings it back. It is tried again until then.';
/** The server has become read-only, as after a failover. */
export const readOnly = '25006';
/** In a transaction in which a statement has failed. */
const failedBefore = '25P02';
/** A lock was not to be had in time. */
export const lockNotAvailable = '55P03';

/** Values that the database cannot store are the caller's matter, everything else is the storage's. */
export function translated(cause: unknown): ChronisError {
  const state = sqlStateOf(cause) ?? '';
  if (state === readOnly) {
    return new ReadOnlyServerError(
      `PostgreSQL takes no changes any more, as after a failover; the next call connects anew: ${messageOf(cause)}`,
      { cause },
    );
  }
  // 54001: nested deeper than its stack reaches.
  const isOfValue = state.startsWith('22') || state === '54000' || state === '54001';
  if (!isOfValue || isOfQueue(cause)) {
    const isSilent = messageOf(cause) === noAnswer;
    const waited = waitedTooLong.has(state) || isSilent;
    const why = isSilent
      ? unanswered
      : waited
        ? contextOf(cause)
        : isOfPartitions(cause)
          ? withoutPartition
          : (missing.get(state) ?? '');
    return new (waited ? StorageBusyError : StorageError)(`PostgreSQL: ${messageOf(cause)}${why}`, { cause });
  }
  const refused = new InvalidPayloadError('A value', `PostgreSQL cannot store it: ${messageOf(cause)}`);
  return Object.assign(refused, { cause });
}

/** A queue of notifications that is full is nothing that anybody gave. */
export function isOfQueue(cause: unknown): boolean {
  return sqlStateOf(cause) === '54000' && routineOf(cause).includes('Notify');
}

/** No partition takes the row: nothing that is in the row can change that. */
export function isOfPartitions(error: unknown): boolean {
  return sqlStateOf(error) === '23514' && routineOf(error) === 'ExecFindPartition';
}

/** What the server was at, such as: while locking tuple (0,1) in relation "job". */
function contextOf(cause: unknown): string {
  const { where } = cause as { where?: unknown };
  return typeof where === 'string' && where !== '' ? ` (${where.split('\n')[0]})` : '';
}

/** The function of the server that complained: unlike its message in one language. */
export function routineOf(error: unknown): string {
  const { routine } = (error instanceof ChronisError ? error.cause : error) as { routine?: unknown };
  return typeof routine === 'string' ? routine : '';
}

/** The SQLSTATE of what went wrong; null: it did not come from a running server. */
export function sqlStateOf(error: unknown): string | null {
  const cause: unknown = error instanceof ChronisError ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause) || !('severity' in cause)) return null;
  return typeof cause.code === 'string' ? cause.code : null;
}

/** Text for people; several addresses of one host make an AggregateError without a message. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** The server answered, and the connection goes on. Not where it is in a transaction that has failed before: whoever left it there did not end it, so nobody will. */
export function isSqlError(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === readOnly || state === failedBefore) return false;
  return state !== null && !state.startsWith('57P') && !state.startsWith('08');
}

/** The database has undone it because of others, who may be through by now. */
export function isWorthAnotherAttempt(error: unknown): boolean {
  return worthAnotherAttempt.has(sqlStateOf(error) ?? '');
}
