import { Clock, SystemClock, type CancelTimer } from '../index.js';

/** What a storage under test has for a clock: the time of the test decides what is due, but deadlines of connections are real. */
export class StorageClock extends Clock {
  private readonly real = new SystemClock();

  constructor(private readonly test: Clock) {
    super();
  }

  now(): number {
    return this.test.now();
  }

  monotonic(): number {
    return this.real.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.real.setTimer(delayMs, callback);
  }
}
