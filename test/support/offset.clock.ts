import { Clock, type CancelTimer } from '../../lib/ports/clock.js';

/** Another clock of the same world, which shows a different time of day and can be set, while time passes for it as for everybody. */
export class OffsetClock extends Clock {
  constructor(
    private readonly world: Clock,
    /** How far it is ahead. */
    public offsetMs = 0,
  ) {
    super();
  }

  now(): number {
    return this.world.now() + this.offsetMs;
  }

  monotonic(): number {
    return this.world.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    return this.world.setTimer(delayMs, callback);
  }
}
