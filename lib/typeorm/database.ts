import type { DataSource } from 'typeorm';
import { StorageError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import { columnParsers } from './column.parsers.js';
import { roomForConnections } from './connection.limits.js';
import type { StartupSettings } from './connection.settings.js';
import { pause, within } from './deadline.js';
import type { Examination } from './examination.js';
import { LimitedReads } from './limited.reads.js';
import { KeptConnection } from './kept.connection.js';
import { withHoles } from './lists.with.holes.js';
import type { PreparedStatements } from './prepared.statements.js';
import type { ClientClass, Connected, Sockets } from './sockets.js';
import {
  isSqlError,
  isWorthAnotherAttempt,
  lockNotAvailable,
  messageOf,
  readOnly,
  sqlStateOf,
  translated,
} from './sql.errors.js';
import { readClockSql } from './sql/read.clock.sql.js';
import { Seats } from './seats.js';

/** Runs statements. The first parameter of each is the time (see time.fragment.ts) and is put there by whoever implements this. */
export interface Queries {
  run<Row>(text: string, values?: readonly unknown[], traits?: StatementTraits): Promise<Row[]>;
}

/** What is known of a statement beside its text. */
export interface StatementTraits {
  /** Of a text that is always the same, so that the server may keep it prepared. */
  name?: string;
  haste?: Haste;
  /** Rows are arrays, in the order of the columns: where there are thousands, it counts that pg makes no objects of them. */
  rowMode?: 'array';
}

/**
 * `impatient`: it limits what it waits for locks, to the end of its
 * transaction; when it fails for that, or another statement after it, another try is the caller's matter. `urgent`: it has a connection that no others can take.
 */
export type Haste = 'impatient' | 'urgent';

/** What is known of a transaction before it begins. */
export interface TransactionTraits {
  /**
   * Its prepared statements keep one plan each, for whatever values. For little work by large statements: to plan them for the values takes several times as long as to run them.
   * @default the server decides
   */
  keepsPlans?: boolean;
  /** How long each of its statements may take, in ms. @default as long as all others */
  statementMs?: number;
}

/** A transaction under way. */
export interface Transaction extends Queries {
  /**
   * Reads the clock, which all statements after this one use: to be called when the locks are held, since the transaction may have waited for
   * them since it began.
   */
  readClock(): Promise<number>;
  /** The same where it has been read before; else statements go by when they came. */
  renewClock(): Promise<unknown>;
  /**
   * Does the work if it need not wait for any one lock longer than this; null: it would have had to, and nothing of it was done. The rest of the transaction stands. The waits for
   * several locks add up.
   */
  briefly<T>(lockMs: number, work: () => Promise<T>): Promise<{ value: T } | null>;
  /** How long each lock is waited for from here on, of which a statement may need several; then the transaction is undone and begun again, a few times. */
  limitWaiting(lockMs: number): Promise<void>;
}

interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
  connection?: { stream?: { destroyed?: boolean; writable?: boolean } };
  on(event: 'error', listener: () => void): void;
  removeListener(event: 'error', listener: () => void): void;
}
type Connection = readonly [client: Client, release: (destroy?: Error) => void];

interface DatabaseLimits {
  poolSize: number;
  deadlineMs: number;
  startup: StartupSettings;
}

const mostAttempts = 10;
/** Between two attempts, at random, so that those who were in each other's way do not meet again. */
const longestPauseMs = 250;
/** What the server does not say within this time is not said to a connection that is being closed. */
const closingMs = 500;
/** A change of the schema may take its time, but not for ever. */
const scriptDeadlineMs = 3_600_000;
const readClock = readClockSql();

/**
 * A pool of connections. Keeps no state in sessions and no session locks, so it works behind a pooler in transaction mode.
 * What a dying server does to connections ends here: as a rejected call.
 */
export class Database implements Queries {
  /** Called when a server is found to take no changes any more. */
  onFailover: () => void = () => undefined;
  /** Of what only looks. */
  readonly reads = new LimitedReads();
  private closed = false;
  private readonly kept = new KeptConnection<Client>();
  /** A process that froze within a transaction must not keep its locks for as long as TCP holds the connection. */
  private readonly begin: string;
  private readonly beginKeepingPlans: string;
  private readonly seats: Seats;

  constructor(
    readonly source: DataSource,
    private readonly sockets: Sockets,
    private readonly examination: Examination,
    private readonly limits: DatabaseLimits,
    private readonly clock: Clock | null,
    private readonly prepared: PreparedStatements,
  ) {
    this.seats = new Seats(limits.poolSize);
    this.begin = `begin isolation level read committed; set local idle_in_transaction_session_timeout = ${3 * limits.deadlineMs}`;
    this.beginKeepingPlans = `${this.begin}; set local plan_cache_mode = force_generic_plan`;
  }

  /** What the server, or a pooler before it, has let itself be told at connection start. */
  get startup(): StartupSettings {
    return this.limits.startup;
  }

  run<Row>(text: string, values: readonly unknown[] = [], traits: StatementTraits = {}): Promise<Row[]> {
    const { limitMs } = this.reads;
    if (limitMs !== null) return this.limited(limitMs, (reading) => reading.run<Row>(text, values, traits));
    const { haste } = traits;
    const work = (client: Client): Promise<Row[]> =>
      this.query<Row>(client, text, [this.time, ...values], traits);
    return this.repeatedly(
      () => (haste === 'urgent' ? this.atOnce(work) : this.connected(work)),
      () => haste === 'impatient',
    );
  }

  /**
   * Rolled back when `work` rejects. `work` runs again after a deadlock, and where a lock was not to be had in time, so it must not touch anything but the transaction.
   */
  transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    { keepsPlans = false, statementMs }: TransactionTraits = {},
  ): Promise<T> {
    let limitsWaiting = false;
    const once = (): Promise<T> =>
      this.connected(async (client) => {
        const given = this.time;
        let time = given;
        let limitMs = 0;
        const readTime = async (): Promise<number> => {
          const [{ now }] = await this.query<{ now: number }>(client, readClock, [given]);
          return (time = now);
        };
        const transaction: Transaction = {
          run: (text, values = [], traits = {}) => {
            limitsWaiting ||= traits.haste === 'impatient';
            return this.query(client, text, [time, ...values], traits, statementMs);
          },
          readClock: readTime,
          renewClock: async () => (time === given ? time : readTime()),
          briefly: (lockMs, work) => this.briefly(client, { lockMs, afterwardsMs: limitMs }, work),
          limitWaiting: async (lockMs) => {
            limitMs = lockMs;
            await this.query(client, `set local lock_timeout = ${Math.round(lockMs)}`);
          },
        };
        try {
          // It may fail half-way: cancelled when the transaction has begun, and its setting is not there yet.
          const begin = keepsPlans ? this.beginKeepingPlans : this.begin;
          const limit = statementMs === undefined ? '' : `; set local statement_timeout = ${statementMs}`;
          await this.query(client, `${begin}${limit}`, undefined, undefined, statementMs);
          const result = await work(transaction);
          await this.query(client, 'commit');
          return result;
        } catch (error) {
          await this.query(client, 'rollback').catch((cause: unknown) => {
            if (!isSqlError(error)) throw error;
            throw new StorageError(`A rollback failed: ${messageOf(cause)}, after: ${messageOf(error)}`, {
              cause,
            });
          });
          throw error;
        }
      });
    return this.repeatedly(once, () => limitsWaiting);
  }

  private async limited<T>(limitMs: number, work: (reading: Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.transaction(work, { statementMs: Math.ceil(limitMs) });
    } catch (error) {
      throw this.reads.told(error, limitMs);
    }
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
      try {
        await run(`${this.begin}; set local statement_timeout = 0; set local lock_timeout = 0`);
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
    this.seats.end(new StorageError('The storage is closed.'));
    this.kept.close();
    const ended = this.source.destroy();
    await within(closingMs, ended);
    this.sockets.destroyAll();
    await within(closingMs / 2, ended);
  }

  private get time(): number | null {
    return this.clock && Math.floor(this.clock.now());
  }

  /** One connection more than there are seats is for what is urgent. */
  private connected<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.seats.perform(() => this.atOnce(work), this.limits.deadlineMs);
  }

  private async atOnce<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.closed) throw new StorageError('The storage is closed.');
    const connection = await this.connection();
    const [client, release] = connection;
    let broken: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      // After a deadline the answer may still come, and must not be taken for that of the next query.
      if (error instanceof StorageError && !isSqlError(error)) broken = error;
      if (sqlStateOf(error) === readOnly) {
        this.examination.noteFailover(client);
        this.onFailover();
      }
      throw error;
    } finally {
      if (broken) release(broken);
      else this.kept.put(connection);
    }
  }

  private async briefly<T>(
    client: Client,
    { lockMs, afterwardsMs }: { lockMs: number; afterwardsMs: number },
    work: () => Promise<T>,
  ): Promise<{ value: T } | null> {
    await this.query(client, `savepoint chronis_brief; set local lock_timeout = ${Math.round(lockMs)}`);
    try {
      const value = await work();
      await this.query(
        client,
        `set local lock_timeout = ${Math.round(afterwardsMs)}; release savepoint chronis_brief`,
      );
      return { value };
    } catch (error) {
      if (sqlStateOf(error) !== lockNotAvailable) throw error;
      // Takes the setting back as well.
      await this.query(client, 'rollback to savepoint chronis_brief; release savepoint chronis_brief');
      return null;
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
        if (isImpatient() && sqlStateOf(error) === lockNotAvailable) throw error;
        if (isWorthAnotherAttempt(error)) await pause(Math.random() * Math.min(2 ** attempt, longestPauseMs));
      }
    }
  }

  /** One that leads to a server that takes changes. Throws ReadOnlyServerError. */
  private async connection(): Promise<Connection> {
    for (;;) {
      const connection = this.kept.take() ?? (await this.obtain());
      const [client, release] = connection;
      const hasPassed = this.examination.hasPassed(client);
      if (hasPassed === true) return connection;
      try {
        const run: Queries['run'] = (text, values = []) => this.query(client, text, [this.time, ...values]);
        if (hasPassed === null && (await this.examination.passes(client, run))) return connection;
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
      const room = roomForConnections(cause);
      const what = `No connection to PostgreSQL: ${messageOf(cause)}`;
      throw new StorageError(room === null ? what : `${what}. ${room}`, { cause });
    }
  }

  private async query<Row>(
    client: Client,
    text: string,
    values?: readonly unknown[],
    { name: statement, rowMode }: StatementTraits = {},
    deadlineMs = this.limits.deadlineMs,
  ): Promise<Row[]> {
    try {
      // The server's own deadline, where there is one, comes first and keeps the connection.
      const query_timeout = deadlineMs + 500;
      const named = this.prepared.nameOn(client, statement, text, query_timeout);
      const name = typeof named === 'object' ? await named : named;
      const result = await client.query({
        name,
        text,
        values: values && withHoles(text, values),
        rowMode,
        query_timeout,
        types: columnParsers,
      });
      return result.rows as Row[];
    } catch (cause) {
      throw translated(cause);
    }
  }
}
