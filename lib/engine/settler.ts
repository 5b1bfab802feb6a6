import type { Settlement, StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';

const largestBatch = 1_000;

/** `unclear`: an earlier call with this settlement failed without an answer, so the refusal may be of our own making. */
export type SettleVerdict = 'accepted' | 'refused' | 'unclear';

interface Waiting {
  settlement: Settlement;
  done: (verdict: SettleVerdict) => void;
}

/**
 * Writes settlements in batches that form by themselves: what arrives while a call is under way goes into the next one.
 * No timer, so an idle worker settles at once and a busy one in large batches. A settlement is repeated until it got an answer.
 */
export class Settler {
  private waiting: Waiting[] = [];
  private writing: Promise<void> | null = null;
  private closed = false;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly calls: StorageCalls,
  ) {}

  /** Calls `done` once there is an answer; it must not throw. */
  settle(settlement: Settlement, done: (verdict: SettleVerdict) => void): void {
    this.waiting.push({ settlement, done });
    this.writing ??= this.calls.keepGoing(
      'settling',
      () => this.write(),
      () => true,
    );
  }

  /** Resolves when everything that waits has been written. */
  async flush(): Promise<void> {
    await this.writing;
  }

  /** Gives up on what cannot be written at the next failure. */
  close(): void {
    this.closed = true;
  }

  private async write(): Promise<void> {
    // Results of one turn of the event loop make one batch.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, largestBatch);
      const settlements = batch.map((item) => item.settlement);
      const answer = await this.calls.repeat(
        'settle',
        () => this.storage.settle(settlements),
        () => !this.closed,
      );
      this.waiting.splice(0, batch.length);
      const accepted = new Set(answer?.value);
      const refusal: SettleVerdict = answer !== null && answer.failures === 0 ? 'refused' : 'unclear';
      for (const { settlement, done } of batch) done(accepted.has(settlement.runId) ? 'accepted' : refusal);
    }
    this.writing = null;
  }
}
