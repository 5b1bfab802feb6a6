import type { DataSource } from 'typeorm';
import { ClaimLostError, StorageError, TransactionNotSupportedError } from '../model/errors.js';
import type {
  AnyTransactionOptions,
  TransactionBegin,
  TransactionManager,
  TransactionWork,
} from '../ports/run.transaction.js';
import type { RunEnd, RunEnds } from '../ports/run.ends.js';
import type { Hold, RunStepRecord, Settlement } from '../ports/storage.adapter.js';
import type { AdapterConnection } from './adapter.connection.js';
import type { CallerConnection } from './caller.connection.js';
import { connect } from './connect.js';
import type { Database } from './database.js';
import { isWorthAnotherAttempt, sqlStateOf } from './sql.errors.js';
import { readOnlyProblem } from './caller.transaction.js';
import { answered, pause, within } from './deadline.js';
import { ExecutorConnection } from './executor.connection.js';
import type { Installation } from './installation.js';
import { settleWithin } from './settling.transaction.js';
import { queryRunSteps, recordRunStep } from './run.steps.js';
import { connectionOf, type Client } from './runner.connection.js';
import { enterRunTransactionSql } from './sql/enter.run.transaction.sql.js';
import { isHeldSql } from './sql/is.held.sql.js';
import { isInHandsSql } from './sql/is.in.hands.sql.js';
import { readClockSql } from './sql/read.clock.sql.js';
import { behindLocks, type Run } from './statement.runner.js';
import { identifyTransaction } from './transaction.identity.js';
import { withPurpose } from './purposes.js';
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

/** What is committed with what the handler has written. */
type End = Settlement | RunStepRecord;

interface Entered {
  value: string;
  isolation: string;
  read_only: boolean;
}

/**
 * Transactions that handlers share with the verdict of their run, or with the end of a durable step. They never use the connections of the loop: handlers that take their
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
  private readonly inHandsSql: string;

  constructor(
    private readonly connection: AdapterConnection,
    private readonly statements: Statements,
    /** The application's; null: the storage was made from a URL or settings. */
    private readonly application: DataSource | null,
    private readonly installation: Installation,
    private readonly ends: RunEnds,
  ) {
    const { tables, statementTimeoutMs } = connection.settings;
    this.deadlineMs = statementTimeoutMs + 500;
    this.enterSql = enterRunTransactionSql(tables, idleDeadlines * statementTimeoutMs);
    this.heldSql = isHeldSql(tables);
    this.inHandsSql = isInHandsSql(tables);
  }

  perform<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => End,
    options: AnyTransactionOptions,
  ): Promise<T> {
    if (options.begin !== undefined) return this.performWithin(options.begin, work, conclude);
    const given = options.dataSource ?? this.application;
    if (given) return this.performOn(given, work, conclude);
    return this.seats.perform(async () => this.performOn((await this.ownPool()).source, work, conclude));
  }

  private async performOn<T>(
    source: DataSource,
    work: TransactionWork<T>,
    conclude: (value: T) => End,
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
      const own = <R>(sent: Promise<R>): Promise<R> => answered(client, this.deadlineMs, sent);
      const connection = connectionOf(runner, client as Client, own);
      try {
        await own(runner.startTransaction('READ COMMITTED'));
        await this.enter(connection);
        const value = await work(runner.manager);
        const ends = await this.end(connection, conclude(value));
        await own(runner.commitTransaction());
        await this.ends.tell(ends);
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

  /** In a transaction that another library begins and ends. */
  private async performWithin<T>(
    begin: TransactionBegin<TransactionManager>,
    work: TransactionWork<T>,
    conclude: (value: T) => End,
  ): Promise<T> {
    let done: { value: T; end: End; ends: readonly RunEnd[] } | null = null;
    await begin(async (executor, manager) => {
      done = null;
      const connection = new ExecutorConnection(executor, this.deadlineMs);
      if ((await identifyTransaction(connection)) === null) {
        const problem =
          'the function "begin" has begun no transaction, or its executor sends statements to other connections than that of the transaction.';
        throw new TransactionNotSupportedError('ctx.transaction()', problem);
      }
      await this.enter(connection);
      const value = await work(manager);
      const end = conclude(value);
      try {
        done = { value, end, ends: await this.end(connection, end) };
      } catch (error) {
        throw connection.told(error);
      }
    });
    if (done === null) refuseBegin('has not called what it is given, or what it has called was rejected');
    const { value, end, ends } = done as NonNullable<typeof done>;
    if (!(await this.isCommitted(end))) refuseBegin('has resolved, and its transaction is not committed');
    await this.ends.tell(ends);
    return value;
  }

  /** By a connection of the storage: a run that its worker still has was not settled by a transaction that has ended, and nobody else would do it. */
  private async isCommitted(end: End): Promise<boolean> {
    const database = this.connection.database();
    if ('step' in end) {
      const run: Run = (statement, ...values) => database.run(this.statements[statement], values);
      return (await queryRunSteps(run, end.runId)).some(
        ({ name, finishedAt }) => name === end.step.name && finishedAt !== null,
      );
    }
    const values = [end.runId, end.fence, end.worker];
    const [{ mine }] = await database.run<{ mine: boolean }>(this.inHandsSql, values);
    return !mine;
  }

  private async enter(connection: CallerConnection): Promise<void> {
    const read = () => connection.query<Entered>(this.enterSql);
    const { isolation, read_only: isReadOnly } = await this.installation.assertSame(
      'ctx.transaction()',
      read,
    );
    if (isReadOnly) throw new TransactionNotSupportedError('ctx.transaction()', readOnlyProblem);
    if (isolation === 'read committed') return;
    // What a beat notes of the run meanwhile would be a conflict at any other level.
    const problem = `its isolation level is "${isolation}". Begin it at "read committed".`;
    throw new TransactionNotSupportedError('ctx.transaction()', problem);
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
   * one is waited for as long as the run is in this worker's hands; in portions, so that nobody's deadline ends the connection. Returns the ends of runs that are to be told.
   */
  private async end(connection: CallerConnection, end: End): Promise<readonly RunEnd[]> {
    const { databaseClock, statementTimeoutMs } = this.connection.settings;
    const given = databaseClock && Math.floor(databaseClock.now());
    // From here on locks of ours are held: a process that freezes has not long to keep them.
    const begin = [
      'savepoint chronis_verdict',
      `set local idle_in_transaction_session_timeout = ${3 * statementTimeoutMs}`,
      `set local lock_timeout = ${Math.ceil(statementTimeoutMs / 2)}`,
    ];
    for (let attempt = 1; ;) {
      await connection.script(...begin);
      try {
        const readTime = async (): Promise<number> =>
          (await connection.query<{ now: number }>(readClockSql(), [given]))[0]!.now;
        let time = await readTime();
        const send: Run = (statement, ...values) =>
          connection
            .query<never>(this.statements[statement], [time, ...values])
            .catch((error: unknown) => Promise.reject(withPurpose(statement, error) as Error));
        const ends: RunEnd[] = [];
        const run = Object.assign(
          behindLocks(send, async () => (time = await readTime())),
          { noteEnd: (one: RunEnd) => void ends.push(one) },
        );
        const isAccepted =
          'step' in end
            ? (await recordRunStep(run, end, end.step)).kept
            : (await settleWithin(run, [end], 'settle')).accepted.length === 1;
        if (isAccepted) return ends;
      } catch (error) {
        const isLocked = stillLocked.has(sqlStateOf(error) ?? '');
        if (!isLocked && (attempt++ === mostAttempts || !isWorthAnotherAttempt(error))) throw error;
        await connection.script('rollback to savepoint chronis_verdict', 'release savepoint chronis_verdict');
        if (isLocked && !(await this.isHeld(connection, end, given))) throw new ClaimLostError(end.runId);
        await pause(Math.random() * 2 ** attempt);
        continue;
      }
      throw new ClaimLostError(end.runId);
    }
  }

  /** Whether the run is still in the hands of its worker, and its lease has not ended. Waits for nobody. */
  private async isHeld(
    connection: CallerConnection,
    { runId, fence, worker }: Hold,
    given: number | null,
  ): Promise<boolean> {
    const values = [given, runId, fence, worker];
    const [{ held }] = await connection.query<{ held: boolean }>(this.heldSql, values);
    return held;
  }
}

function refuseBegin(what: string): never {
  throw new TransactionNotSupportedError(
    'ctx.transaction()',
    `the function "begin" ${what}. It has to call that once, to resolve when the transaction is committed, and to reject when it is rolled back.`,
  );
}
