import type { DataSource } from 'typeorm';
import { ChronisError, InvalidPayloadError, StorageBusyError, StorageError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import { columnParsers } from './column.parsers.js';
import { pause, within } from './deadline.js';
import { ReadOnlyServerError, type Examination } from './examination.js';
import type { PreparedStatements } from './prepared.statements.js';
import type { ClientClass, Connected, Sockets } from './sockets.js';
import { readClockSql } from './sql/read.clock.sql.js';

/** Runs statements. The first parameter of each is the time (see time.fragment.ts) and is put there by whoever implements this. */
export interface Queries {
  /**
   * `name`: of a text that is always the same, so that the server may keep it prepared. `isImpatient`: it limits what it waits for locks, to the end of its
   * transaction; when it fails for that, or another statement after it, another try is the caller's matter.
   */
  run<Row>(text: string, values?: readonly unknown[], name?: string, isImpatient?: boolean): Promise<Row[]>;
}

/** A transaction under way. */
export interface Transaction extends Queries {
  /**
   * Reads the clock, which all statements after this one use: to be called when the locks are held, since the transaction may have waited for
   * them since it began.
   */
  readClock(): Promise<number>;
}

interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
  connection?: { stream?: object };
  on(event: 'error', listener: () => void): void;
  removeListener(event: 'error', listener: () => void): void;
}
type Connection = [client: Client, release: (destroy?: Error) => void];

const mostAttempts = 10;
/** Between two attempts, at random, so that those who were in each other's way do not meet again. */
const longestPauseMs = 250;
/** What the server does not say within this time is not said to a connection that is being closed. */
const closingMs = 500;
/** A change of the schema may take its time, but not for ever. */
const scriptDeadlineMs = 3_600_000;
/** Serialization failure, deadlock, lock not available: nothing was done, and another attempt may succeed. */
const worthAnotherAttempt = new Set(['40001', '40P01', '55P03']);
/** A lock was not to be had in time; the server's deadline for a statement is over. */
const waitedTooLong = new Set(['55P03', '57014']);
/** What pg says when its own deadline is over, without a code. */
const noAnswer = 'Query read timeout';
/** The server has become read-only, as after a failover. */
const readOnly = '25006';
const readClock = readClockSql();

/**
 * A pool of connections. Keeps no state in sessions and no session locks, so it works behind a pooler in transaction mode.
 * What a dying server does to connections ends here: as a rejected call.
 */
export class Database implements Queries {
  private closed = false;
  /** A process that froze within a transaction must not keep its locks for as long as TCP holds the connection. */
  private readonly begin: string;

  constructor(
    readonly source: DataSource,
    private readonly sockets: Sockets,
    private readonly examination: Examination,
    private readonly deadlineMs: number,
    private readonly clock: Clock | null,
    private readonly prepared: PreparedStatements,
  ) {
    this.begin = `begin isolation level read committed; set local idle_in_transaction_session_timeout = ${3 * deadlineMs}`;
  }

  run<Row>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
    isImpatient = false,
  ): Promise<Row[]> {
    return this.repeatedly(
      () => this.connected((client) => this.query<Row>(client, text, [this.time, ...values], name)),
      () => isImpatient,
    );
  }

  /** Rolled back when `work` rejects; `work` runs again after a deadlock, so it must not touch anything but the transaction. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    let limitsWaiting = false;
    const once = (): Promise<T> =>
      this.connected(async (client) => {
        let time = this.time;
        const transaction: Transaction = {
          run: (text, values = [], name, isImpatient = false) => {
            limitsWaiting ||= isImpatient;
            return this.query(client, text, [time, ...values], name);
          },
          readClock: async () => {
            const [{ now }] = await this.query<{ now: number }>(client, readClock, [time]);
            return (time = now);
          },
        };
        await this.query(client, this.begin);
        try {
          const result = await work(transaction);
          await this.query(client, 'commit');
          return result;
        } catch (error) {
          await this.query(client, 'rollback').catch((cause: unknown) => {
            throw isSqlError(error) ? new StorageError('A rollback failed.', { cause }) : error;
          });
          throw error;
        }
      });
    return this.repeatedly(once, () => limitsWaiting);
  }

  /** For statements without parameters. */
  plain<Row>(text: string): Promise<Row[]> {
    return this.repeatedly(() => this.connected((client) => this.query<Row>(client, text)));
  }

  /**
   * For changes of the schema: statements without parameters, in one transaction, free of the timeouts that the role has.
   */
  script(
    work: (run: <Row>(text: string) => Promise<Row[]>) => Promise<void>,
    deadlineMs = scriptDeadlineMs,
  ): Promise<void> {
    return this.connected(async (client) => {
      const run = <Row>(text: string): Promise<Row[]> =>
        this.query<Row>(client, text, undefined, undefined, deadlineMs);
      await run(`${this.begin}; set local statement_timeout = 0; set local lock_timeout = 0`);
      try {
        // Of PostgreSQL 17 and later.
        await run(`select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`);
        await work(run);
        await run('commit');
      } catch (error) {
        await run('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  /** A connection outside of the pool, not yet open. */
  newClient<C>(settings: object): C {
    const { extra } = this.source.options as { extra: { Client: ClientClass<Connected> } };
    return new extra.Client(settings) as C;
  }

  /** Ends within a second or so, even if the server does not answer. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const ended = this.source.destroy();
    await within(closingMs, ended);
    this.sockets.destroyAll();
    await within(closingMs / 2, ended);
  }

  private get time(): number | null {
    return this.clock && Math.floor(this.clock.now());
  }

  private async connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.closed) throw new StorageError('The storage is closed.');
    const [client, release] = await this.connection();
    // pg tells the query under way *and* emits; an event that nobody listens to would end the process.
    const ignore = (): void => undefined;
    client.on('error', ignore);
    let broken: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      // After a deadline the answer may still come, and must not be taken for that of the next query.
      if (error instanceof StorageError && !isSqlError(error)) broken = error;
      if (sqlStateOf(error) === readOnly) this.examination.noteFailover(client);
      throw error;
    } finally {
      client.removeListener('error', ignore);
      release(broken);
    }
  }

  private async repeatedly<T>(work: () => Promise<T>, isImpatient = (): boolean => false): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const mayBeRepeated =
          isWorthAnotherAttempt(error) || this.prepared.gaveUpOn(sqlStateOf(error), messageOf(error));
        if (attempt === mostAttempts || !mayBeRepeated) throw error;
        if (isImpatient() && sqlStateOf(error) === '55P03') throw error;
        if (isWorthAnotherAttempt(error)) await pause(Math.random() * Math.min(2 ** attempt, longestPauseMs));
      }
    }
  }

  /** One that leads to a server that takes changes. Throws ReadOnlyServerError. */
  private async connection(): Promise<Connection> {
    for (;;) {
      const [client, release] = await this.obtain();
      try {
        const run: Queries['run'] = (text, values = []) => this.query(client, text, [this.time, ...values]);
        if (await this.examination.passes(client, run)) return [client, release];
        release(new Error('It was opened before a failover.'));
      } catch (error) {
        release(error as Error);
        throw error;
      }
    }
  }

  private async obtain(): Promise<Connection> {
    const driver = this.source.driver as unknown as { obtainMasterConnection(): Promise<Connection> };
    try {
      return await driver.obtainMasterConnection();
    } catch (cause) {
      throw new StorageError(`No connection to PostgreSQL: ${messageOf(cause)}`, { cause });
    }
  }

  private async query<Row>(
    client: Client,
    text: string,
    values?: readonly unknown[],
    statement?: string,
    deadlineMs = this.deadlineMs,
  ): Promise<Row[]> {
    try {
      // The server's own deadline, where there is one, comes first and keeps the connection.
      const query_timeout = deadlineMs + 500;
      const name = await this.prepared.nameOn(client, statement, text, query_timeout);
      const result = await client.query({ name, text, values, query_timeout, types: columnParsers });
      return result.rows as Row[];
    } catch (cause) {
      throw translated(cause);
    }
  }
}

/** Values that the database cannot store are the caller's matter, everything else is the storage's. */
export function translated(cause: unknown): ChronisError {
  const state = sqlStateOf(cause) ?? '';
  if (state === readOnly) {
    return new ReadOnlyServerError(
      `PostgreSQL takes no changes any more, as after a failover; the next call connects anew: ${messageOf(cause)}`,
      { cause },
    );
  }
  // A queue of notifications that is full is nothing that the caller gave.
  const isOfQueue = state === '54000' && routineOf(cause).includes('Notify');
  // 54001: nested deeper than its stack reaches.
  const isOfValue = state.startsWith('22') || state === '54000' || state === '54001';
  if (!isOfValue || isOfQueue) {
    const waited = waitedTooLong.has(state) || messageOf(cause) === noAnswer;
    return new (waited ? StorageBusyError : StorageError)(`PostgreSQL: ${messageOf(cause)}`, { cause });
  }
  const refused = new InvalidPayloadError('A value', `PostgreSQL cannot store it: ${messageOf(cause)}`);
  return Object.assign(refused, { cause });
}

/** The function of the server that complained: unlike its message in one language. */
function routineOf(cause: unknown): string {
  const { routine } = cause as { routine?: unknown };
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

/** The server answered, and the connection goes on. */
function isSqlError(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== null && state !== readOnly && !state.startsWith('57P') && !state.startsWith('08');
}

/** The database has undone it because of others, who may be through by now. */
export function isWorthAnotherAttempt(error: unknown): boolean {
  return worthAnotherAttempt.has(sqlStateOf(error) ?? '');
}
