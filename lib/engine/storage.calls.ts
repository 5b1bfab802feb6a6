import type { ChronisEvents } from '../events/chronis.events.js';
import type { Clock } from '../ports/clock.js';
import { ForeignLocks } from './foreign.locks.js';
import { Outages } from './outages.js';
import { unending } from './unending.js';

const firstDelayMs = 50;
const longestDelayMs = 5_000;
const longestPauseMs = 1_000;
/** Of one who is about to leave: what answers again at the last moment should still be told. */
const longestHurriedMs = 400;

/** Repeats calls to the storage until they succeed or nobody needs them any more, and tells about failures by events. */
export class StorageCalls {
  readonly outages: Outages;
  readonly locks: ForeignLocks;
  private readonly pauses = new Set<() => void>();
  /** Who calls is about to leave. */
  isHurried = false;

  constructor(
    readonly clock: Clock,
    readonly events: ChronisEvents,
    private readonly random: () => number,
  ) {
    this.outages = new Outages(clock, events);
    this.locks = new ForeignLocks(clock, events);
  }

  /**
   * The result of `call`, and after how many failures it came; null when `needed` says no after a failure. The delay doubles
   * from 50 ms to 5 s, with half of it at random, so that workers do not come back all at once. `isProof`: whether a call that has not failed shows that the operation gets through.
   */
  async repeat<T>(
    operation: string,
    call: () => Promise<T>,
    needed: () => boolean,
    isProof = (): boolean => true,
  ): Promise<{ value: T; failures: number } | null> {
    for (let failures = 0; ; failures++) {
      try {
        const value = await this.trying(operation, call);
        if (isProof()) this.outages.answered(operation);
        return { value, failures };
      } catch (error) {
        if (!needed()) return null;
        await this.pauseAfter(operation, error, failures);
        if (!needed()) return null;
      }
    }
  }

  /** Has it known that the operation is being tried, for as long as that takes. */
  async trying<T>(operation: string, call: () => Promise<T>): Promise<T> {
    this.outages.begins(operation);
    try {
      return await call();
    } finally {
      this.outages.ends(operation);
    }
  }

  /** Runs a loop, see `unending`. */
  keepGoing(part: string, loop: () => Promise<void>, needed: () => boolean): Promise<void> {
    return unending(part, loop, needed, this);
  }

  /** Tells that a call has failed, after so many failures before it, and waits for as long as `repeat` does. */
  async pauseAfter(operation: string, error: unknown, failures: number): Promise<void> {
    const retryInMs = this.delayMs(failures);
    this.events.emit('storage.failing', { operation, error, retryInMs });
    await this.wait(retryInMs);
  }

  /** Tells that a call has failed which is tried again after so many more pauses. */
  tellFailure(operation: string, error: unknown, pauses: number): void {
    this.events.emit('storage.failing', { operation, error, retryInMs: (pauses + 1) * longestPauseMs });
  }

  /** Waits before another try of what has not failed, after so many that came to nothing. */
  async pause(tries: number): Promise<void> {
    await this.wait(Math.min(this.delayMs(tries), longestPauseMs));
  }

  /** Ends all pauses: what is not needed any more gives up at once, the rest is tried again now, and more often. */
  hurry(): void {
    this.isHurried = true;
    for (const end of this.pauses) end();
  }

  /** There is time again. */
  calm(): void {
    this.isHurried = false;
  }

  private delayMs(failures: number): number {
    const most = this.isHurried ? longestHurriedMs : longestDelayMs;
    const delay = Math.min(firstDelayMs * 2 ** Math.min(failures, 10), most);
    return Math.round(delay * (0.5 + this.random() / 2));
  }

  private async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.clock.setTimer(ms, () => end());
      const end = (): void => {
        cancel();
        this.pauses.delete(end);
        resolve();
      };
      this.pauses.add(end);
    });
  }
}
