import { pauseCovers } from '../model/pause.js';
import type { ClaimedRun } from '../model/run.js';
import type { StoredPause } from '../ports/storage.adapter.js';
import type { StorageTime } from './storage.time.js';

const mostLooks = 3;

interface BarrierParts {
  time: StorageTime;
  /** How often the session was told that something has changed. */
  changes: () => number;
  read: () => Promise<StoredPause[]>;
}

/**
 * Makes a pause of a scope a barrier also for calls that were under way: where something has changed since one was made, what a pause stops by now does not begin. Looks again
 * while it is told of further changes, for a while; calls that end between the same changes share a look.
 */
export class PauseBarrier {
  private latest: { asOf: number; pauses: Promise<StoredPause[]> } | null = null;

  constructor(private readonly parts: BarrierParts) {}

  /** Of what was handed out by a call that was made when so much had changed: what may begin, and what may not. */
  async sort(
    runs: readonly ClaimedRun[],
    asOf: number,
  ): Promise<{ begin: readonly ClaimedRun[]; stopped: ClaimedRun[] }> {
    const { time, changes } = this.parts;
    if (asOf === changes()) return { begin: runs, stopped: [] };
    const stopped: ClaimedRun[] = [];
    const without = (from: readonly ClaimedRun[], isStopped: (run: ClaimedRun) => boolean): ClaimedRun[] => {
      const left: ClaimedRun[] = [];
      for (const run of from) (isStopped(run) ? stopped : left).push(run);
      return left;
    };
    // What is not due yet goes back, whatever has changed: it may be due when the answer is there.
    let begin = without(runs, ({ dueAt }) => !time.hasReached(dueAt));
    for (let seen = asOf, looks = 0; seen !== changes() && begin.length > 0 && looks < mostLooks; looks++) {
      seen = changes();
      const pauses = await this.pausesAsOf(seen);
      begin = without(begin, (run) => pauses.some((pause) => pauseCovers(pause, run)));
    }
    return { begin, stopped };
  }

  private pausesAsOf(changes: number): Promise<StoredPause[]> {
    if (this.latest?.asOf === changes) return this.latest.pauses;
    const latest = { asOf: changes, pauses: this.parts.read() };
    this.latest = latest;
    latest.pauses.catch(() => this.latest === latest && (this.latest = null));
    return latest.pauses;
  }
}
