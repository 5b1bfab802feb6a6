import type { RefusedRun } from '../ports/storage.adapter.js';
import type { StorageCalls } from './storage.calls.js';

/** Of so many it is known that they were told. */
const mostTold = 1_000;

/** Tells of runs that the storage refuses to change, each by its id, not more often than it is tried again, and when one goes on after all. */
export class RefusedRuns {
  /** Until when nothing more is told of them (monotonic). */
  private told = new Map<string, number>();

  constructor(
    private readonly calls: StorageCalls,
    private readonly operationOf: (runId: string) => string,
  ) {}

  /** `isAll`: those that were refused before have been tried as well. */
  note(refused: readonly RefusedRun[], isAll: boolean): void {
    if (refused.length === 0 && this.told.size === 0) return;
    const { clock, events, outages } = this.calls;
    const now = clock.monotonic();
    const still = new Set(refused.map(({ runId }) => runId));
    for (const [runId, until] of this.told) {
      if (isAll ? still.has(runId) : now < until) continue;
      this.told.delete(runId);
      if (isAll) outages.answered(this.operationOf(runId));
    }
    for (const { runId, error, retryInMs } of refused) {
      if (now < (this.told.get(runId) ?? -Infinity)) continue;
      if (this.told.size < mostTold) this.told.set(runId, now + retryInMs);
      events.emit('storage.failing', { operation: this.operationOf(runId), error, retryInMs });
    }
  }
}
