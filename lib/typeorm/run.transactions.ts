import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { ClaimLostError, StorageError, TransactionNotSupportedError } from '../model/errors.js';
import type { TransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { Settlement } from '../ports/storage.adapter.js';
import type { AdapterConnection } from './adapter.connection.js';
import { columnParsers } from './column.parsers.js';
import { connect } from './connect.js';
import type { Database } from './database.js';
import { isWorthAnotherAttempt, sqlStateOf } from './sql.errors.js';
import { answered, pause, within } from './deadline.js';
import type { Installation } from './installation.js';
import { settleWithin } from './run.settling.js';
import { enterRunTransactionSql } from './sql/enter.run.transaction.sql.js';
import { isHeldSql } from './sql/is.held.sql.js';
import { readClockSql } from './sql/read.clock.sql.js';
import type { Run } from './statement.runner.js';
import type { Statements } from './statements.js';
import { TrustedRunners } from './trusted.runners.js';
import { Seats } from './seats.js';

const mostAttempts = 10;
/** Lock not available, and the server's deadline of a statement: somebody else has it still. */
const stillLocked = new Set(['55P03', '57014']);
/** Of the pool for handlers when the storage was not made from an application's DataSource. */
const ownPoolSize = 10;
/** How long the handler may leave its transaction without a statement, in deadlines of one. */
const idleDeadlines = 60;
/** A pool that is still being opened is closed later. */
const closingMs = 750;

/** Waits for what is sent on the connection of a transaction, but not for ever. */
type Answered = <T>(work: Promise<T>) => Promise<T>;

/** Runs a statement of Chronis on that connection, and waits as long. */
type Read = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

interface Client {
  query(config: object): Promise<{ rows: unknown[] }>;
}

/**
 * Transactions that handlers share with the verdict of their run. They never use the connections of the loop: handlers that take their
 * time must not keep the lease from being renewed.
 */
export class RunTransactions {
  private own: Promise<Database> | null = null;
  /** A handler waits until a connection is free: that others take their time must not cost it an attempt. */
  private seats = new Seats(ownPoolSize);
  private readonly runners = new TrustedRunners();
  private readonly deadlineMs: number;
  private readonly enterSql: string;
  private readonly heldSql: string;

  constructor(
    private readonly connection: AdapterConnection,
    private readonly statements: Statements,
    /** The application's; null: the storage was made from a URL or settings. */
    private readonly application: DataSource | null,
    private readonly installation: Installation,
  ) {
    const { tables, statementTimeoutMs } = connection.settings;
    this.deadlineMs = statementTimeoutMs + 500;
    this.enterSql = enterRunTransactionSql(tables, idleDeadlines * statementTimeoutMs);
    this.heldSql = isHeldSql(tables);
  }

  perform<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement,
    options: TransactionOptions,
  ): Promise<T> {
    const given = options.dataSource ?? this.application;
    if (given) return this.performOn(given, work, conclude);
    return this.seats.perform(async () => this.performOn((await this.ownPool()).source, work, conclude));
  }

  private async performOn<T>(
    source: DataSource,
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement,
  ): Promise<T> {
    const type = (source as Partial<DataSource> | null)?.options?.type;
    if (type !== 'postgres') {
      throw new TransactionNotSupportedError(
        'ctx.transaction()',
        type === undefined
          ? 'what was given as dataSource is no DataSource of TypeORM.'
          : `the DataSource is of type "${type}", the jobs are in PostgreSQL.`,
      );
    }
    const [runner, client] = await this.runners.take(source);
    try {
      const own: Answered = (sent) => answered(client, this.deadlineMs, sent);
      const read: Read = (text, values) => own(readBy(client as Client, text, values));
      try {
        // What a beat notes of the run meanwhile would be a conflict at any other level.
        await own(runner.startTransaction('READ COMMITTED'));
        const { manager } = runner;
        await this.installation.assertSame('ctx.transaction()', () => read<{ value: string }>(this.enterSql));
        const value = await work(manager);
        await this.settle(manager, { own, read }, conclude(value));
        await own(runner.commitTransaction());
        return value;
      } catch (error) {
        // Where this fails too the connection is gone, and the first error says why.
        await own(runner.rollbackTransaction()).catch(() => undefined);
        await this.runners.note(error, client);
        throw error;
      }
    } finally {
      await runner.release();
    }
  }

  async close(): Promise<void> {
    const { own } = this;
    this.own = null;
    this.seats.end(new StorageError('The storage is closed.'));
    if (own === null) return;
    const ended = own.then((database) => database.close());
    await within(closingMs, ended);
  }

  private ownPool(): Promise<Database> {
    const { server, settings } = this.connection;
    this.own ??= connect(server, { ...settings, poolSize: ownPoolSize }).catch((error: unknown) => {
      this.own = null;
      throw error;
    });
    return this.own;
  }

  /**
   * Behind a savepoint: a deadlock with other settlements must not cost the handler its work, and neither must somebody who has locked what is to be written. That
   * one is waited for as long as the run is in this worker's hands; in portions, so that nobody's deadline ends the connection.
   */
  private async settle(
    manager: EntityManager,
    { own, read }: { own: Answered; read: Read },
    settlement: Settlement,
  ): Promise<void> {
    const { databaseClock, statementTimeoutMs } = this.connection.settings;
    const given = databaseClock && Math.floor(databaseClock.now());
    // From here on locks of ours are held: a process that freezes has not long to keep them.
    const begin = `savepoint chronis_verdict; set local idle_in_transaction_session_timeout = ${3 * statementTimeoutMs};
      set local lock_timeout = ${Math.ceil(statementTimeoutMs / 2)}`;
    for (let attempt = 1; ;) {
      await own(manager.query(begin));
      try {
        const [{ now }] = await read<{ now: number }>(readClockSql(), [given]);
        const run: Run = (statement, ...values) => read(this.statements[statement], [now, ...values]);
        const { accepted } = await settleWithin(run, [settlement], 'settle');
        if (accepted.length === 1) return;
      } catch (error) {
        const isLocked = stillLocked.has(sqlStateOf(error) ?? '');
        if (!isLocked && (attempt++ === mostAttempts || !isWorthAnotherAttempt(error))) throw error;
        await own(manager.query('rollback to savepoint chronis_verdict; release savepoint chronis_verdict'));
        if (isLocked && !(await this.isHeld(read, settlement, given))) {
          throw new ClaimLostError(settlement.runId);
        }
        await pause(Math.random() * 2 ** attempt);
        continue;
      }
      throw new ClaimLostError(settlement.runId);
    }
  }

  /** Whether the run is still in the hands of its worker, and its lease has not ended. Waits for nobody. */
  private async isHeld(
    read: Read,
    { runId, fence, worker }: Settlement,
    given: number | null,
  ): Promise<boolean> {
    const values = [given, runId, fence, worker];
    const [{ held }] = await read<{ held: boolean }>(this.heldSql, values);
    return held;
  }
}

/** By the connection itself: an application may have its own ideas of how TypeORM and pg read columns. */
async function readBy<Row>(client: Client, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  try {
    const { rows } = await client.query({ text, values, types: columnParsers });
    return rows as Row[];
  } catch (cause) {
    throw cause instanceof Error ? new QueryFailedError(text, [...values], cause) : cause;
  }
}
