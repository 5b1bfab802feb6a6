import type { EntityManager, QueryRunner } from 'typeorm';
import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { SqlExecutor } from '../ports/run.transaction.js';
import { ManagerConnection } from './caller.connection.js';
import { CallerTransaction, type CallerNeeds, type Line } from './caller.transaction.js';
import { ExecutorConnection } from './executor.connection.js';
import type { Installation } from './installation.js';
import { enterTransactionSql } from './sql/enter.transaction.sql.js';
import { identifyTransaction } from './transaction.identity.js';
import { prepareStatements } from './statements.js';
import type { AdapterSettings } from './typeorm.options.js';

/** Finds the transactions that callers are in, and has calls at once in one of them take turns. */
export class CallerTransactions {
  private readonly known = new WeakMap<QueryRunner, CallerTransaction>();
  private readonly ownLines = new WeakMap<SqlExecutor, Line>();
  /** What goes on in transactions of executors, by the transaction: there may be several executors for one. */
  private readonly lines = new Map<string, Promise<unknown>>();
  private readonly needs: CallerNeeds;

  constructor(settings: AdapterSettings, installation: Installation) {
    const { tables, notifyInTransactions, databaseClock, statementTimeoutMs } = settings;
    // A NOTIFY would have the caller's transactions commit one after another.
    const told = notifyInTransactions ? tables : { ...tables, channel: null };
    this.needs = {
      statements: prepareStatements(told),
      enter: enterTransactionSql(tables, statementTimeoutMs),
      installation,
      clock: databaseClock,
      deadlineMs: statementTimeoutMs + 500,
    };
  }

  /** Null: there is no transaction. */
  async find(given: unknown): Promise<CallerTransaction | null> {
    const type = dataSourceType(given);
    if (type === undefined) return this.ofExecutor(executor(given));
    if (type === 'postgres') return this.ofManager(given as EntityManager);
    throw new TransactionNotSupportedError(
      'manager',
      `its DataSource is of type "${type}", the jobs are in PostgreSQL.`,
    );
  }

  private ofManager({ queryRunner }: EntityManager): CallerTransaction | null {
    if (queryRunner === undefined || queryRunner.isReleased || !queryRunner.isTransactionActive) return null;
    let transaction = this.known.get(queryRunner);
    if (transaction === undefined) {
      const connection = new ManagerConnection(queryRunner, this.needs.deadlineMs);
      transaction = new CallerTransaction(connection, this.needs, ownLine());
      this.known.set(queryRunner, transaction);
    }
    return transaction;
  }

  /** Nothing is sent by an executor while something else is: its client may take one query at a time. */
  private async ofExecutor(given: SqlExecutor): Promise<CallerTransaction | null> {
    const connection = new ExecutorConnection(given, this.needs.deadlineMs);
    const own = this.ownLines.get(given) ?? ownLine();
    this.ownLines.set(given, own);
    const identity = await own(() => identifyTransaction(connection));
    if (identity === null) return null;
    return new CallerTransaction(connection, this.needs, (work) => own(() => this.inLine(identity, work)));
  }

  private inLine<T>(identity: string, work: () => Promise<T>): Promise<T> {
    const result = (this.lines.get(identity) ?? Promise.resolve()).then(work);
    const last = result.then(
      () => undefined,
      () => undefined,
    );
    this.lines.set(identity, last);
    void last.then(() => this.lines.get(identity) === last && this.lines.delete(identity));
    return result;
  }
}

function ownLine(): Line {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Undefined: it is no manager of TypeORM. By its shape: the application may have loaded TypeORM a second time. */
function dataSourceType(given: unknown): string | undefined {
  const { dataSource, connection } = (given ?? {}) as Partial<EntityManager>;
  // TypeORM 0.3 has only the older name.
  return (dataSource ?? connection)?.options?.type;
}

function executor(given: unknown): SqlExecutor {
  if (typeof (given as Partial<SqlExecutor> | null)?.query === 'function') return given as SqlExecutor;
  throw new InvalidOptionError(
    'manager',
    'must be an EntityManager of TypeORM, as dataSource.transaction((manager) => …) gives one, or a SqlExecutor, { query(text, values) }, made of a transaction of another library: docs/guides/transactions.md has an executorOf(tx) for Prisma, Drizzle, Knex, Kysely, MikroORM and postgres.',
  );
}
