import type { DataSource, EntityManager } from 'typeorm';
import { ClaimLostError, TransactionNotSupportedError } from '../model/errors.js';
import type { TransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { Settlement } from '../ports/storage.adapter.js';
import type { AdapterConnection } from './adapter.connection.js';
import { connect } from './connect.js';
import { isWorthAnotherAttempt, type Database } from './database.js';
import type { Installation } from './installation.js';
import { settleWithin } from './run.endings.js';
import { readClockSql } from './sql/read.clock.sql.js';
import type { Run } from './statement.runner.js';
import type { Statements } from './statements.js';

const mostAttempts = 10;
/** Of the pool for handlers when the storage was not made from an application's DataSource. */
const ownPoolSize = 10;

/**
 * Transactions that handlers share with the verdict of their run. They never use the connections of the loop: handlers that take their
 * time must not keep the lease from being renewed.
 */
export class RunTransactions {
  private own: Promise<Database> | null = null;

  constructor(
    private readonly connection: AdapterConnection,
    private readonly statements: Statements,
    /** The application's; null: the storage was made from a URL or settings. */
    private readonly application: DataSource | null,
    private readonly installation: Installation,
  ) {}

  async perform<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement,
    options: TransactionOptions,
  ): Promise<T> {
    const source = options.dataSource ?? this.application ?? (await this.ownPool()).source;
    const type = (source as Partial<DataSource> | null)?.options?.type;
    if (type !== 'postgres') {
      throw new TransactionNotSupportedError(
        'ctx.transaction()',
        type === undefined
          ? 'what was given as dataSource is no DataSource of TypeORM.'
          : `the DataSource is of type "${type}", the jobs are in PostgreSQL.`,
      );
    }
    return source.transaction(async (manager) => {
      await this.installation.assertSame('ctx.transaction()', () => manager.query(this.installation.readSql));
      const value = await work(manager);
      await this.settle(manager, conclude(value));
      return value;
    });
  }

  async close(): Promise<void> {
    const { own } = this;
    this.own = null;
    await (await own?.catch(() => null))?.close();
  }

  private ownPool(): Promise<Database> {
    const { server, settings } = this.connection;
    this.own ??= connect(server, { ...settings, poolSize: ownPoolSize }).catch((error: unknown) => {
      this.own = null;
      throw error;
    });
    return this.own;
  }

  /** Behind a savepoint: a deadlock with other settlements must not cost the handler its work. */
  private async settle(manager: EntityManager, settlement: Settlement): Promise<void> {
    const { databaseClock } = this.connection.settings;
    const given = databaseClock && Math.floor(databaseClock.now());
    for (let attempt = 1; ; attempt++) {
      await manager.query('savepoint chronis_verdict');
      try {
        const [{ now }] = await manager.query<{ now: unknown }[]>(readClockSql(), [given]);
        const run: Run = (statement, ...values) =>
          manager.query(this.statements[statement], [Number(now), ...values]);
        const accepted = await settleWithin(run, [settlement]);
        if (accepted.length === 1) return;
      } catch (error) {
        if (attempt === mostAttempts || !isWorthAnotherAttempt(error)) throw error;
        await manager.query('rollback to savepoint chronis_verdict');
        continue;
      }
      throw new ClaimLostError(settlement.runId);
    }
  }
}
