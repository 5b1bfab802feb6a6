import { workOff } from '../model/deferred.work.js';
import { ClaimLostError, RunSettledError } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { Settlement, StorageAdapter } from '../ports/storage.adapter.js';
import { assertTransaction, assertTransactions } from './transaction.options.js';

/**
 * The transaction of one attempt that commits what the handler wrote together with the verdict.
 *
 * open → working → committed, or back to open when it was rolled back: nothing has happened then, so the handler may try again. `end`
 * closes it when the attempt has its outcome by other means.
 */
export class VerdictTransaction {
  private state: 'open' | 'working' | 'committed' = 'open';
  private settlement: Settlement | null = null;
  private ended = false;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly run: ClaimedRun,
    private readonly conclude: (value: unknown) => Settlement,
  ) {}

  /** What was committed; null: nothing. */
  get committed(): Settlement | null {
    return this.state === 'committed' ? this.settlement : null;
  }

  /** It has begun, and neither been committed nor rolled back. */
  get isUnderWay(): boolean {
    return this.state === 'working';
  }

  async perform<T>(
    work: TransactionWork<T>,
    isLeaseLost: boolean,
    options: AnyTransactionOptions = {},
  ): Promise<T> {
    assertTransaction(work, options);
    const { storage, run } = this;
    assertTransactions(storage);
    if (this.ended || this.state !== 'open') throw new RunSettledError(run.id);
    if (isLeaseLost) throw new ClaimLostError(run.id);
    this.state = 'working';
    try {
      const conclude = (value: T): Settlement => (this.settlement = this.conclude(value));
      const all: TransactionWork<T> = async (manager) => (await workOff(work(manager))) as T;
      const value = await storage.transaction!(all, conclude, options);
      this.state = 'committed';
      return value;
    } finally {
      if (this.state === 'working') this.state = 'open';
    }
  }

  /** The attempt is over: nothing may begin any more. What is under way is decided by the fence. */
  end(): void {
    this.ended = true;
  }
}
