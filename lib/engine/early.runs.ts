import type { ClaimedRun } from '../model/run.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import type { StorageTime } from './storage.time.js';

/** From one instant that is met exactly to the next: what that costs is below a twentieth of a core. */
const restMs = 40;
/** So long before an instant the time is asked for: what has come since the last close answer would make the beginning late. */
const approachMs = 20;
/** From when on it is. */
const closeMs = 0.05;

/** Runs in the hands of a worker that are not due yet; all that are due at an instant begin by one timer. */
export class EarlyRuns {
  private readonly runs = new Map<string, ClaimedRun>();
  private armedFor: EpochMs = Infinity;
  private cancelTimer: CancelTimer | null = null;
  /** An exact timer costs, so not each of very many is one (monotonic). */
  private exactFrom = 0;

  constructor(
    private readonly clock: Clock,
    private readonly time: StorageTime,
    private readonly begin: (runs: ClaimedRun[]) => void,
    /** For the time, which is observed when it is there. */
    private readonly askTime: () => void,
  ) {}

  get size(): number {
    return this.runs.size;
  }

  add(runs: readonly ClaimedRun[]): void {
    for (const run of runs) {
      this.runs.set(run.id, run);
      if (run.dueAt < this.armedFor) this.arm(run.dueAt);
    }
  }

  /** Takes out the given ones, or all. */
  take(runIds: Iterable<string> = [...this.runs.keys()]): ClaimedRun[] {
    const taken: ClaimedRun[] = [];
    for (const runId of runIds) {
      const run = this.runs.get(runId);
      if (run !== undefined && this.runs.delete(runId)) taken.push(run);
    }
    if (this.runs.size === 0) this.disarm();
    return taken;
  }

  private arm(at: EpochMs): void {
    this.disarm();
    this.armedFor = at;
    const ring = (): void => this.ring();
    const delayMs = this.time.untilCertain(at);
    const mayBeExact = this.clock.monotonic() >= this.exactFrom;
    if (delayMs > 2 * approachMs) {
      this.cancelTimer = this.clock.setTimer(delayMs - approachMs, () => this.approach(at));
    } else if (mayBeExact) this.cancelTimer = this.clock.setExactTimer(delayMs, ring);
    // Rounded up: a timer that fires a moment early finds nothing due and has to be set again.
    else this.cancelTimer = this.clock.setTimer(Math.ceil(delayMs), ring);
  }

  private approach(at: EpochMs): void {
    if (this.time.blurMs > closeMs) this.askTime();
    this.cancelTimer = this.clock.setTimer(approachMs / 2, () => this.arm(at));
  }

  private disarm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.armedFor = Infinity;
  }

  private ring(): void {
    this.armedFor = Infinity;
    this.exactFrom = this.clock.monotonic() + restMs;
    const due: ClaimedRun[] = [];
    let nextAt = Infinity;
    for (const run of this.runs.values()) {
      if (this.time.hasReached(run.dueAt)) due.push(run);
      else nextAt = Math.min(nextAt, run.dueAt);
    }
    for (const { id } of due) this.runs.delete(id);
    if (nextAt < Infinity) this.arm(nextAt);
    if (due.length > 0) this.begin(due);
  }
}
