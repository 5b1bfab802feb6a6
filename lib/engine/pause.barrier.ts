import { pauseCovers } from '../model/pause.js';
import type { ClaimedRun } from '../model/run.js';
import type { StoredPause } from '../ports/storage.adapter.js';
import type { StorageTime } from './storage.time.js';
import { isOnce } from './unstarted.js';

interface BarrierParts {
  time: Pick<StorageTime, 'hasReached'>;
  /** How often the session was told that something has changed. */
  changes: () => number;
  read: () => Promise<StoredPause[]>;
}

/**
 * Makes a pause of a scope a barrier also for calls that were under way: where something has changed since one was made, what a pause stops by now does not begin. Calls that end between the same changes share a look.
 */
export class PauseBarrier {
  private latest: { asOf: number; pauses: Promise<StoredPause[]> } | null = null;

  constructor(private readonly parts: BarrierParts) {}

  /** Of what was handed out by a call that was made when so much had changed: what may begin, and what may not; `seen`: as far as changes go of which it knows. */
  async sort(
    runs: readonly ClaimedRun[],
    asOf: number,
  ): Promise<{ begin: readonly ClaimedRun[]; stopped: ClaimedRun[]; seen: number }> {
    const { time } = this.parts;
    const seen = this.parts.changes();
    if (asOf === seen) return { begin: runs, stopped: [], seen };
    const stopped: ClaimedRun[] = [];
    const without = (from: readonly ClaimedRun[], isStopped: (run: ClaimedRun) => boolean): ClaimedRun[] => {
      const left: ClaimedRun[] = [];
      for (const run of from) (isStopped(run) ? stopped : left).push(run);
      return left;
    };
    // What is not due yet goes back, whatever has changed: it may be due when the answer is there. What must not run twice is handed out at its instant, and would end as lost.
    let begin = without(runs, (run) => !isOnce(run) && !time.hasReached(run.dueAt));
    if (begin.length > 0) {
      const pauses = await this.pausesAsOf(seen);
      begin = without(begin, (run) => pauses.some((pause) => pauseCovers(pause, run)));
    }
    return { begin, stopped, seen };
  }

  private pausesAsOf(changes: number): Promise<StoredPause[]> {
    if (this.latest?.asOf === changes) return this.latest.pauses;
    const latest = { asOf: changes, pauses: this.parts.read() };
    this.latest = latest;
    latest.pauses.catch(() => this.latest === latest && (this.latest = null));
    return latest.pauses;
  }
}
