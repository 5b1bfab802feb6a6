import { rowOperations } from '../events/storage.operations.js';
import type { JobRef } from '../model/job.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { GiveBackResult, StorageAdapter, Unstarted } from '../ports/storage.adapter.js';
import { RefusedRuns } from './refused.runs.js';
import type { StorageCalls } from './storage.calls.js';

const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** Gives back what was claimed and will not be begun, until the storage has it or nobody needs that any more. */
export class GivingBack {
  private readonly pauses = new Map<CancelTimer, () => void>();
  /** What waits to be tried again as the storage has refused it, by run and fence. */
  private readonly refused = new Set<string>();
  private readonly teller: RefusedRuns;

  constructor(
    private readonly storage: StorageAdapter,
    private readonly clock: Clock,
    private readonly calls: StorageCalls,
    /** Called with the jobs of runs that have ended as lost by it. */
    private readonly onGaveUp: (jobs: readonly JobRef[]) => void,
  ) {
    this.teller = new RefusedRuns(calls, rowOperations.giveBack);
  }

  /**
   * Never rejects. What somebody else has locked is tried again beside, twice as late each time, and nobody waits for it; what the storage refuses for itself is told by its id, and tried again more seldom. When it is not `needed` any more, the lease ends or has ended,
   * and whoever releases it comes back to the rest.
   */
  async giveBack(runs: readonly Unstarted[], needed: () => boolean): Promise<void> {
    await this.calls.keepGoing('giving back', () => this.begin(runs, needed), needed);
  }

  /** Ends all pauses. */
  stop(): void {
    for (const [cancel, end] of this.pauses) {
      cancel();
      end();
    }
    this.pauses.clear();
  }

  private async begin(runs: readonly Unstarted[], needed: () => boolean): Promise<void> {
    const left = await this.once(
      runs.filter((run) => !this.refused.has(keyOf(run))),
      needed,
    );
    if (left.length > 0) void this.calls.keepGoing('giving back', () => this.later(left, needed), needed);
  }

  private async later(runs: readonly Unstarted[], needed: () => boolean): Promise<void> {
    let left = runs;
    for (let tries = 0; left.length > 0 && needed(); tries++) {
      await this.pause(Math.min(firstPauseMs * 2 ** Math.min(tries, 10), longestPauseMs));
      if (needed()) left = await this.once(left, needed);
    }
  }

  /** Returns what somebody else has locked. */
  private async once(runs: readonly Unstarted[], needed: () => boolean): Promise<readonly Unstarted[]> {
    if (runs.length === 0) return [];
    const given = await this.calls.repeat('give back', () => this.storage.giveBack(runs), needed);
    const left = given === null ? [] : given.value.left;
    const isLeft = new Set(left.map(({ runId }) => runId));
    for (const { runId } of runs) this.calls.locks[isLeft.has(runId) ? 'note' : 'free']('returns', runId);
    if (given !== null) {
      this.onGaveUp(given.value.lost);
      this.setAside(given.value.refused ?? [], needed);
    }
    return left;
  }

  private setAside(refused: NonNullable<GiveBackResult['refused']>, needed: () => boolean): void {
    this.teller.note(refused, false);
    for (const { error: _, retryInMs, ...run } of refused) {
      const key = keyOf(run);
      this.refused.add(key);
      const again = async (): Promise<void> => {
        await this.pause(retryInMs);
        this.refused.delete(key);
        if (needed()) await this.begin([run], needed);
      };
      void this.calls.keepGoing('giving back', again, needed);
    }
  }

  private async pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimer(ms, () => {
        this.pauses.delete(cancel);
        resolve();
      });
      this.pauses.set(cancel, resolve);
    });
  }
}

function keyOf({ runId, fence }: Unstarted): string {
  return `${runId} ${fence}`;
}
