import { CallScope } from '../ports/call.scope.js';
import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { Clock } from '../ports/clock.js';
import type {
  AnyTransactionOptions,
  SqlExecutor,
  TransactionBegin,
  TransactionWork,
} from '../ports/run.transaction.js';
import type { RunStepRecord, Settlement } from '../ports/storage.adapter.js';
import { MemoryTransaction } from './memory.transaction.js';
import { isInTransaction, RunnerTransactions, type Manager } from './runner.transactions.js';
import type { MemoryTables } from './tables.js';

/** What begins transactions: a DataSource of TypeORM, or what stands in for one. @publicApi */
export interface TransactionSource {
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (manager: any) => Promise<T>): Promise<T>;
}

interface Choices {
  dataSource?: TransactionSource;
  unknownManagers?: 'refuse' | 'at-once';
}

/** The transactions that calls are in. */
export class MemoryTransactions {
  private readonly current = new CallScope<MemoryTransaction>();
  /** Those that stand for transactions begun here. */
  private readonly managers = new WeakMap<object, MemoryTransaction>();
  private readonly runners: RunnerTransactions;

  constructor(
    private readonly tables: MemoryTables,
    private readonly clock: Clock,
    private readonly choices: Choices,
  ) {
    this.runners = new RunnerTransactions(tables);
  }

  /** Null: there is none. Throws TransactionNotSupportedError, InvalidOptionError. */
  find(given: unknown): MemoryTransaction | 'at-once' | null {
    if (given === null || (typeof given !== 'object' && typeof given !== 'function')) {
      throw new InvalidOptionError(
        'manager',
        'must be what the transaction of your library gives, or stand in for it.',
      );
    }
    const { queryRunner, dataSource, connection } = given as Manager;
    if (isInTransaction(queryRunner)) return this.runners.of(queryRunner);
    const own = this.managers.get(given);
    if (own !== undefined) return own.ended ? null : own;
    const current = this.current.get();
    if (current !== undefined) return current;
    if (typeof (dataSource ?? connection)?.options?.type === 'string') return null;
    if (this.choices.unknownManagers === 'at-once') return 'at-once';
    throw new TransactionNotSupportedError(
      'manager',
      "the storage \"memory\" learns of the end of TypeORM's transactions only. Make the call within inTransaction() of the MemoryStorage, give it unknownManagers: 'at-once', or use typeOrmStorage().",
    );
  }

  /** See `MemoryStorage.inTransaction`. */
  async perform<T>(work: (manager: SqlExecutor) => T | Promise<T>): Promise<T> {
    const outer = this.current.get();
    if (outer !== undefined) return this.nested(outer, () => work(this.managerOf(outer)));
    const transaction = new MemoryTransaction(this.tables);
    try {
      const value = await this.current.run(transaction, () => work(this.managerOf(transaction)));
      transaction.commit();
      return value;
    } finally {
      transaction.end();
    }
  }

  /** See `StorageAdapter.transaction`. `committed`: called as soon as it is. */
  async concluding<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => Settlement | RunStepRecord,
    { begin, dataSource }: AnyTransactionOptions,
    committed: () => Promise<void>,
  ): Promise<T> {
    let last: { transaction: MemoryTransaction; value: T } | null = null;
    const run = async (_executor: unknown, manager: unknown): Promise<void> => {
      last?.transaction.end();
      const transaction = new MemoryTransaction(this.tables);
      const value = await this.current.run(transaction, () => work(manager as never));
      transaction.conclude(conclude(value), this.clock.now());
      last = { transaction, value };
    };
    await (begin ?? beginOf(dataSource ?? this.choices.dataSource))(run);
    const { transaction, value } = (last ?? refuseSilence()) as { transaction: MemoryTransaction; value: T };
    transaction.commit();
    await committed();
    return value;
  }

  private managerOf(transaction: MemoryTransaction): SqlExecutor {
    const query = (): never => {
      throw new TransactionNotSupportedError('manager', 'jobs in memory are not written by SQL.');
    };
    const manager = { query };
    this.managers.set(manager, transaction);
    return manager;
  }

  private async nested<T>(outer: MemoryTransaction, work: () => T | Promise<T>): Promise<T> {
    const { length } = outer;
    try {
      return await work();
    } catch (error) {
      outer.cut(length);
      throw error;
    }
  }
}

function beginOf(source: unknown): TransactionBegin<never> {
  if (typeof (source as TransactionSource | undefined)?.transaction === 'function') {
    return (run) =>
      (source as TransactionSource).transaction((manager) => run(null as never, manager as never));
  }
  throw new TransactionNotSupportedError(
    'ctx.transaction()',
    'the storage "memory" has nothing to begin it with. Give ChronisTesting, or the MemoryStorage, a dataSource: the application\'s, or { transaction: (work) => work(manager) } with a manager that stands in; or use typeOrmStorage().',
  );
}

function refuseSilence(): never {
  throw new TransactionNotSupportedError(
    'ctx.transaction()',
    'what begins the transaction has to call what it is given, to resolve when the transaction is committed, and to reject when it is rolled back.',
  );
}
