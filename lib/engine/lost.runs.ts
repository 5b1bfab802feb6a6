import type { ChronisEvents } from '../events/chronis.events.js';
import { rowOperations } from '../events/storage.operations.js';
import type { JobRef } from '../model/job.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { ReleaseResult, StorageAdapter } from '../ports/storage.adapter.js';
import { RefusedRuns } from './refused.runs.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';

const firstPauseMs = 100;
const longestPauseMs = 2_000;

/** What the release needs of its engine. */
export interface LostRunsParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  calls: StorageCalls;
  random: () => number;
  isNeeded: () => boolean;
  /** Called with the jobs of runs that have ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
  /** Called when a release has changed what is known of the ends of leases, or of what is due. */
  onReleased: () => void;
}

/**
 * Takes back the runs of dead workers, beside the loop: whatever a release waits for, and however often it fails, this worker goes on to fire and to claim. Its failures are told and tried
 * again by itself.
 *
 * What a release has left, as somebody else had it locked, is tried again alone, twice as late each time, up to two seconds. What this worker does not come back to, since it died, the
 * release after its own death finds, or that of the next round of the janitor. So does it with what the storage refuses, each told by its id. A lease that stays over after a release, as somebody has locked the row of its worker, is looked at as often.
 */
export class LostRuns {
  private isWanted = false;
  private isLeaseOver = false;
  /** The end of the last lease that it was told of. */
  private toldOf: number | null = null;
  private release: Promise<void> | null = null;
  private left: readonly string[] = [];
  /** Releases in a row that took nothing back. */
  private fruitless = 0;
  private endPause: (() => void) | null = null;
  private readonly refused: RefusedRuns;

  constructor(private readonly parts: LostRunsParts) {
    this.refused = new RefusedRuns(parts.calls, rowOperations.release);
  }

  /**
   * Has them taken back, as soon as the last release is through. `leaseEndsAt`: of a lease that is over; so it was told, and has to be told anew. The first time it does not wait
   * for a pause that others have brought about.
   */
  check(leaseEndsAt: number | null = null): void {
    this.isWanted = true;
    if (leaseEndsAt !== null) {
      this.isLeaseOver = true;
      if (leaseEndsAt !== this.toldOf) this.endPause?.();
      this.toldOf = leaseEndsAt;
    }
    if (!this.parts.isNeeded() || this.release !== null) return;
    this.fruitless = 0;
    this.release = this.goOn();
  }

  /** Resolves when no call is under way any more. */
  async stop(): Promise<void> {
    this.isWanted = false;
    this.left = [];
    this.endPause?.();
    await this.release;
  }

  /** Whatever an adapter answers, what fails here must neither end the process nor keep what comes next. */
  private async goOn(): Promise<void> {
    const { calls, isNeeded } = this.parts;
    // Again for what is asked while the last one ends.
    do await calls.keepGoing('release of lost runs', () => this.work(), isNeeded);
    while (this.isWanted && isNeeded());
    this.release = null;
  }

  private async work(): Promise<void> {
    while ((this.isWanted || this.left.length > 0) && this.parts.isNeeded()) {
      // A look at all finds those that were left as well.
      const runIds = this.isWanted ? null : this.left;
      const { isLeaseOver } = this;
      this.isWanted = this.isLeaseOver = false;
      const answer = await this.parts.calls.repeat(
        'release',
        () => this.releaseOnce(runIds),
        this.parts.isNeeded,
      );
      if (answer === null) break;
      this.left = [...answer.value.left];
      this.tell(answer.value);
      this.refused.note(answer.value.refused ?? [], runIds === null);
      this.fruitless = answer.value.workers.length > 0 ? 0 : this.fruitless + 1;
      if (isLeaseOver || answer.value.workers.length > 0) this.parts.onReleased();
      if ((this.left.length > 0 || this.fruitless > 0) && this.parts.isNeeded()) await this.pause();
    }
  }

  private async releaseOnce(runIds: readonly string[] | null): Promise<ReleaseResult> {
    const { storage, time, clock } = this.parts;
    const sentAt = clock.monotonic();
    const result = await storage.releaseLost(runIds);
    time.observe(result.now, sentAt);
    return result;
  }

  private tell({ workers, runs }: ReleaseResult): void {
    const ended = runs.filter((run) => run.verdict !== null).length;
    const lost = runs.filter((run) => run.verdict === 'lost');
    this.parts.onGaveUp(lost.map(({ namespace, jobId: id }) => ({ namespace, id })));
    if (workers.length === 0) return;
    const gaveUp = lost.map(({ runId, jobId, namespace, handler }) => ({ runId, jobId, namespace, handler }));
    this.parts.events.emit('workers.released', { workers, rerun: runs.length - ended, ended, gaveUp });
  }

  private async pause(): Promise<void> {
    const { clock, random } = this.parts;
    const longestMs = Math.min(firstPauseMs * 2 ** Math.min(this.fruitless, 10), longestPauseMs);
    await new Promise<void>((resolve) => {
      const cancel: CancelTimer = clock.setTimer(longestMs * (0.5 + random() / 2), () => end());
      const end = (): void => {
        cancel();
        this.endPause = null;
        resolve();
      };
      this.endPause = end;
    });
  }
}
