import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';
import { isOpen, type SettleVerdict, type WaitingResult } from './waiting.result.js';

/** How many verdicts are looked up at a time. */
const looksAtOnce = 4;

/** What the lookups need of whoever writes the settlements. */
interface Asking {
  isClosed: () => boolean;
  end: (item: WaitingResult, verdict: SettleVerdict) => void;
}

/** Settlements that were refused, though an earlier call without an answer may have been carried out: the ledger tells. */
export class UnclearVerdicts {
  /** Resolves when all have been looked up; null: there are none. */
  lookingUp: Promise<void> | null = null;
  private items: WaitingResult[] = [];

  constructor(
    private readonly storage: StorageAdapter,
    private readonly calls: StorageCalls,
    private readonly by: Asking,
  ) {}

  /** To be looked up by the next `begin`, unless that goes on already. */
  add(item: WaitingResult): void {
    this.items.push(item);
  }

  begin(): void {
    if (this.items.length === 0) return;
    this.lookingUp ??= this.calls.keepGoing(
      'settling',
      () => this.lookUpAll(),
      () => !this.by.isClosed(),
    );
  }

  /** A ledger that does not answer is asked again: what it has not told is not known to have failed. */
  private async lookUpAll(): Promise<void> {
    let failures = 0;
    while (this.items.length > 0 && !this.by.isClosed()) {
      const some = this.items.slice(0, looksAtOnce);
      const looks = await Promise.allSettled(some.map((item) => this.lookUp(item)));
      this.items = this.items.filter(isOpen);
      const failed = looks.find((look) => look.status === 'rejected');
      if (failed === undefined) failures = 0;
      else if (!this.by.isClosed())
        await this.calls.pauseAfter('look up verdicts', failed.reason, failures++);
    }
    this.lookingUp = null;
  }

  private async lookUp(item: WaitingResult): Promise<void> {
    const { runId, fence, worker, outcome } = item.settlement;
    const { items } = await this.storage.queryAttempts({ runId }, { limit: 100 });
    const row = items.find((attempt) => attempt.fence === fence && attempt.worker === worker);
    // What was handed back may have ended as cancelled, or as lost.
    const isOther =
      row !== undefined &&
      row.outcome !== outcome &&
      outcome !== 'handed_back' &&
      row.outcome !== 'cancelled';
    this.by.end(item, row === undefined ? 'unclear' : isOther ? 'refused' : 'accepted');
  }
}
