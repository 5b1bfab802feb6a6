import { MemoryTransaction } from './memory.transaction.js';
import type { MemoryTables } from './tables.js';

/** TypeORM's, as far as transactions are concerned. */
export interface QueryRunner {
  isTransactionActive: boolean;
  isReleased?: boolean;
  transactionDepth?: number;
  startTransaction: (...given: unknown[]) => Promise<void>;
  commitTransaction: () => Promise<void>;
  rollbackTransaction: () => Promise<void>;
}

export interface Manager {
  queryRunner?: QueryRunner;
  dataSource?: { options?: { type?: unknown } };
  connection?: { options?: { type?: unknown } };
}

/** Of real ones only: doubles that answer everything with something are in none. */
export function isInTransaction(runner: QueryRunner | undefined): runner is QueryRunner {
  return runner?.isTransactionActive === true && runner.isReleased !== true;
}

/** Transactions that end as TypeORM ends those of its QueryRunners, whatever database these are of: as nobody is told of that, the methods that end them are replaced until then. */
export class RunnerTransactions {
  private readonly known = new WeakMap<QueryRunner, MemoryTransaction>();

  constructor(private readonly tables: MemoryTables) {}

  of(runner: QueryRunner): MemoryTransaction {
    const known = this.known.get(runner);
    if (known !== undefined) return known;
    const transaction = new MemoryTransaction(this.tables);
    this.known.set(runner, transaction);
    this.follow(runner, transaction);
    return transaction;
  }

  private follow(runner: QueryRunner, transaction: MemoryTransaction): void {
    const { startTransaction, commitTransaction, rollbackTransaction } = runner;
    /** Where transactions within it began, which are savepoints. */
    const marks: number[] = Array.from({ length: (runner.transactionDepth ?? 1) - 1 }, () => 0);
    const end = (): void => {
      Object.assign(runner, { startTransaction, commitTransaction, rollbackTransaction });
      this.known.delete(runner);
      transaction.end();
    };
    runner.startTransaction = async (...given) => {
      await startTransaction.apply(runner, given);
      marks.push(transaction.length);
    };
    runner.commitTransaction = async () => {
      if (marks.length === 0) transaction.check();
      await commitTransaction.call(runner);
      if (marks.pop() !== undefined) return;
      try {
        transaction.commit();
      } finally {
        end();
      }
    };
    runner.rollbackTransaction = async () => {
      try {
        await rollbackTransaction.call(runner);
      } finally {
        const mark = marks.pop();
        if (mark === undefined) end();
        else transaction.cut(mark);
      }
    };
  }
}
