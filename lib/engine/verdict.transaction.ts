import { workOff } from '../model/deferred.work.js';
import { ClaimLostError, RunSettledError, type AbortCause } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { Settlement, StorageAdapter } from '../ports/storage.adapter.js';
import { refuseWithinStepTransaction } from './inside.step.js';
import { assertTransaction, assertTransactions } from './transaction.options.js';
import type { WishedEnd } from './wished.end.js';

/** The attempt, as far as its transaction has to know of it. */
export interface TransactingAttempt {
  readonly run: ClaimedRun;
  readonly abortCause: AbortCause | null;
  wish: WishedEnd | null;
}

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
  /** What the handler got for the one that is under way, or was. */
  private performing: Promise<unknown> | null = null;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly attempt: TransactingAttempt,
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

  perform<T>(work: TransactionWork<T>, options?: AnyTransactionOptions): Promise<T> {
    const isAnother = this.isUnderWay;
    const performing = this.performOrUndo(work, options);
    if (!isAnother) this.performing = performing;
    return performing;
  }

  /** A handler that has not awaited its transaction has ended when that has. Nobody else hears of its failure. */
  whenOver(over: () => void, failed: (error: unknown) => void): void {
    if (!this.isUnderWay) return over();
    this.performing!.then(over, failed);
  }

  private async performOrUndo<T>(work: TransactionWork<T>, options?: AnyTransactionOptions): Promise<T> {
    refuseWithinStepTransaction('context.transaction()');
    const { wish } = this.attempt;
    try {
      return await this.performOnce(work, options);
    } catch (error) {
      // What was wished for in there is rolled back with it.
      if (this.committed === null) this.attempt.wish = wish;
      throw error;
    }
  }

  private async performOnce<T>(work: TransactionWork<T>, options: AnyTransactionOptions = {}): Promise<T> {
    assertTransaction(work, options);
    const { storage } = this;
    const { run, abortCause } = this.attempt;
    assertTransactions(storage);
    if (this.ended || this.state !== 'open') throw new RunSettledError(run.id);
    if (abortCause === 'lease-lost') throw new ClaimLostError(run.id);
    this.state = 'working';
    try {
      const conclude = (value: T): Settlement => (this.settlement = this.conclude(value));
      const all: TransactionWork<T> = async (manager) => {
        const value = (await workOff(work(manager))) as T;
        await this.attempt.wish?.known;
        return value;
      };
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
