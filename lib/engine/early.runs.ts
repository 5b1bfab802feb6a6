import type { ClaimedRun } from '../model/run.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { slowestPace } from './clock.offset.js';
import type { StorageTime } from './storage.time.js';

/** From one instant that is met exactly to the next: what that costs is below a twentieth of a core. */
const restMs = 40;
/** So long before an instant the time is asked for: what is not known closely makes the beginning late. */
const approachMs = 20;
/** It is asked for until it is known as closely as this, so often at most: after a rest the first answer takes twice as long as the next. */
const closeMs = 0.25;
const mostAsks = 3;
/** What is claimed early is due sooner. What is further off was claimed by a clock that was ahead, and has been set right since. */
const farOffMs = 60_000;
/** An answer that comes later than so long before the instant is of no use. */
const usefulMs = 1;

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
    /** Resolves when the time is observed, or cannot be had. */
    private readonly askTime: () => Promise<void>,
    /** Those that are far off, after all. */
    private readonly giveBack: (runs: ClaimedRun[]) => void,
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

  /** Whether it is not to be waited for here. */
  isFarOff({ dueAt }: ClaimedRun): boolean {
    return this.time.untilCertain(dueAt) > farOffMs;
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
    const approachInMs = this.time.untilCertain(at) - approachMs;
    if (approachInMs <= approachMs) this.approach(at);
    else this.cancelTimer = this.clock.setTimer(approachInMs, () => this.approach(at));
  }

  private approach(at: EpochMs): void {
    this.setTimer(at);
    if (this.mayBeExact) void this.sharpen(at);
  }

  /** Asks for the time, and sets the timer by what is known then. */
  private async sharpen(at: EpochMs): Promise<void> {
    const { time } = this;
    for (let asks = 0; asks < mostAsks && time.blurMs > closeMs; asks++) {
      if (time.untilCertain(at) < usefulMs) return;
      await this.askTime();
      if (this.armedFor !== at) return;
      this.setTimer(at);
    }
  }

  private setTimer(at: EpochMs): void {
    this.cancelTimer?.();
    const ring = (): void => this.ring();
    const delayMs = this.time.untilCertain(at) / slowestPace;
    // The clock has gone back meanwhile.
    if (delayMs > farOffMs) return ring();
    if (this.mayBeExact) this.cancelTimer = this.clock.setExactTimer(delayMs, ring);
    // Rounded up: a timer that fires a moment early finds nothing due and has to be set again.
    else this.cancelTimer = this.clock.setTimer(Math.ceil(delayMs), ring);
  }

  private get mayBeExact(): boolean {
    return this.clock.monotonic() >= this.exactFrom;
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
    const farOff: ClaimedRun[] = [];
    let nextAt = Infinity;
    for (const run of this.runs.values()) {
      if (this.time.hasReached(run.dueAt)) due.push(run);
      else if (this.isFarOff(run)) farOff.push(run);
      else nextAt = Math.min(nextAt, run.dueAt);
    }
    for (const { id } of [...due, ...farOff]) this.runs.delete(id);
    if (nextAt < Infinity) this.arm(nextAt);
    if (due.length > 0) this.begin(due);
    if (farOff.length > 0) this.giveBack(farOff);
  }
}
