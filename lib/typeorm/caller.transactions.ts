import type { EntityManager, QueryRunner } from 'typeorm';
import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import { CallerTransaction, type CallerNeeds } from './caller.transaction.js';
import type { Installation } from './installation.js';
import { enterTransactionSql } from './sql/enter.transaction.sql.js';
import { prepareStatements } from './statements.js';
import type { AdapterSettings } from './typeorm.options.js';

/** Finds the transactions that managers are in. There is one object for each, so that calls at once on one connection take turns. */
export class CallerTransactions {
  private readonly known = new WeakMap<QueryRunner, CallerTransaction>();
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

  /** Null: the manager is in no transaction. */
  async find(manager: unknown): Promise<CallerTransaction | null> {
    const { queryRunner } = entityManager(manager);
    if (queryRunner === undefined || queryRunner.isReleased || !queryRunner.isTransactionActive) return null;
    let transaction = this.known.get(queryRunner);
    if (transaction === undefined) {
      transaction = new CallerTransaction(queryRunner, this.needs);
      this.known.set(queryRunner, transaction);
    }
    return transaction;
  }
}

/** By its shape: the application may have loaded TypeORM a second time. */
function entityManager(given: unknown): EntityManager {
  const { dataSource, connection } = (given ?? {}) as Partial<EntityManager>;
  // TypeORM 0.3 has only the older name.
  const type = (dataSource ?? connection)?.options?.type;
  if (type === undefined) {
    throw new InvalidOptionError(
      'manager',
      'must be an EntityManager of TypeORM: dataSource.transaction((manager) => …) gives one.',
    );
  }
  if (type === 'postgres') return given as EntityManager;
  throw new TransactionNotSupportedError(
    'manager',
    `its DataSource is of type "${type}", the jobs are in PostgreSQL.`,
  );
}
