import type { Activity, RunningHandler } from './activity.js';
import type { ManualClock } from './manual.clock.js';
import type { Pass } from './pass.options.js';
import { ChronisTestingError } from './testing.errors.js';
import type { LocalSignal } from './watched.storage.js';

const turnsWhileRunning = 20;
/** Longer than the deadline of a statement, which makes the storage answer. */
const storagePatienceMs = 30_000;
const shortWaitMs = 10;

/**
 * Moves the clock from timer to timer, and on only when all that a timer has set off has come to its end. So each handler runs at its
 * nominal time, and is awaited, however long it takes in real time.
 */
export class TestTime {
  private busyWith: string | null = null;
  private isOver = false;

  constructor(
    private readonly clock: ManualClock,
    private readonly activity: Activity,
    private readonly signal: LocalSignal,
    private readonly patienceMs: number,
  ) {}

  /** The application is closed. */
  end(): void {
    this.isOver = true;
  }

  /** One operation at a time: two that move the clock would mislead each other. Throws ChronisTestingError. */
  async exclusively<T>(operation: string, work: () => Promise<T>): Promise<T> {
    if (this.isOver) {
      throw new ChronisTestingError(
        `${operation}() was called after the application had been closed: nothing runs in it any more.`,
      );
    }
    if (this.busyWith !== null) {
      throw new ChronisTestingError(
        `${operation}() was called while ${this.busyWith}() goes on. Await the one before; a handler cannot let time pass, as time waits for it.`,
      );
    }
    this.busyWith = operation;
    for (const handler of this.activity.running) handler.overtaken = false;
    this.signal.wake({ kind: 'change' });
    try {
      return await work();
    } finally {
      this.busyWith = null;
    }
  }

  /** Resolves when all that is due has been done. */
  async quiet({ whileRunning = false, patienceMs = this.patienceMs }: Pass = {}): Promise<void> {
    const { activity } = this;
    for (let turns = 1; ; turns++) {
      await activity.turn();
      const isStill = activity.unanswered.length === 0;
      const running = activity.running.filter((handler) => !handler.overtaken);
      if (isStill && running.length === 0) return;
      if (isStill && whileRunning) {
        if (turns >= turnsWhileRunning) return overtake(running);
      } else if (!(await activity.change(isStill ? patienceMs : storagePatienceMs))) {
        if (isStill) this.giveUp(running, patienceMs);
        else this.missAnswer();
      }
    }
  }

  async advanceTo(at: number, options?: Pass): Promise<void> {
    await this.quiet(options);
    while (await this.step(at, options));
    await this.clock.advanceBy(Math.max(at - this.clock.now(), 0));
  }

  /** Goes to the next timer. False: there is none until then. */
  async step(until = Infinity, options?: Pass): Promise<boolean> {
    const nextMs = this.clock.nextTimerInMs;
    if (nextMs === null || this.clock.now() + nextMs > until) return false;
    await this.clock.advanceBy(Math.max(nextMs, 0));
    await this.quiet(options);
    return true;
  }

  /**
   * Waits for a promise in real time. Lets time pass for it when handlers that were overtaken are all that goes on, or when something of the
   * scheduler goes on for longer than the patience.
   */
  async passUntil<T>(promise: Promise<T>): Promise<T> {
    const { activity, clock } = this;
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    for (let waitMs = this.patienceMs; ; waitMs = shortWaitMs) {
      for (let turns = 0; turns < turnsWhileRunning && !settled; turns++) await activity.turn();
      for (let waited = 0; !settled && !this.isHopeless; waited += shortWaitMs) {
        if (waited >= waitMs && !this.isIdle) break;
        await activity.change(shortWaitMs);
      }
      if (settled || clock.nextTimerInMs === null) return promise;
      await clock.advanceBy(Math.max(clock.nextTimerInMs, 0));
    }
  }

  /** Whatever goes on has nothing to do with the scheduler. */
  private get isIdle(): boolean {
    return this.activity.running.length === 0 && this.activity.unanswered.length === 0;
  }

  private get isHopeless(): boolean {
    const { running } = this.activity;
    return running.length > 0 && running.every(({ overtaken }) => overtaken);
  }

  private missAnswer(): never {
    const calls = this.activity.unanswered.join(', ');
    throw new ChronisTestingError(
      `The storage has not answered ${calls} for ${storagePatienceMs} ms of real time. Is it there, and nothing locked?`,
    );
  }

  private giveUp(running: readonly RunningHandler[], patienceMs: number): void {
    // Those with a timeout are what time has to pass for.
    overtake(running);
    const stuck = running.filter(({ hasTimeout }) => !hasTimeout);
    if (stuck.length === 0) return;
    const names = stuck.map(({ run }) => `"${run.handler}" of the job "${run.jobId}"`).join(', ');
    throw new ChronisTestingError(
      `The handler ${names} has not ended for ${patienceMs} ms of real time, and the clock stands still until it does. If it is meant to hang, give the job a timeout, or let time pass with { whileRunning: true }; if it is slow, raise patienceMs.`,
    );
  }
}

function overtake(running: readonly RunningHandler[]): void {
  for (const handler of running) handler.overtaken = true;
}
