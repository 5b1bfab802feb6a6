import { MemoryStorage } from '../../lib/index.js';
import { ManualClock, type StorageSubject } from '../../lib/testing/index.js';

/** A QueryRunner of TypeORM without a database, as far as transactions go. */
export class BareQueryRunner {
  isTransactionActive = false;
  transactionDepth = 0;

  async startTransaction(): Promise<void> {
    this.transactionDepth++;
    this.isTransactionActive = true;
  }

  async commitTransaction(): Promise<void> {
    this.end();
  }

  async rollbackTransaction(): Promise<void> {
    this.end();
  }

  private end(): void {
    this.isTransactionActive = --this.transactionDepth > 0;
  }
}

export interface BareManager {
  readonly queryRunner: BareQueryRunner;
  readonly dataSource: { options: { type: string } };
}

/** As `DataSource.transaction` does it. */
export async function transaction<T>(work: (manager: BareManager) => Promise<T>): Promise<T> {
  const queryRunner = new BareQueryRunner();
  await queryRunner.startTransaction();
  try {
    const value = await work({ queryRunner, dataSource: { options: { type: 'sqljs' } } });
    await queryRunner.commitTransaction();
    return value;
  } catch (error) {
    await queryRunner.rollbackTransaction();
    throw error;
  }
}

export function memorySubject(): StorageSubject {
  const clock = new ManualClock();
  const storage = new MemoryStorage({ clock });
  return {
    storage,
    open: async () => storage.open(),
    clock: { advance: (ms) => clock.advanceBy(ms), setBack: (ms) => clock.jumpWall(-ms) },
    close: () => storage.close(),
    transaction: (work) => transaction((manager) => work(manager as never)),
  };
}
