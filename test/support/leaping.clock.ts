import { OffsetClock } from './offset.clock.js';

/** The clock of a storage that can be set wrong, while time passes for it as for everybody. */
export class LeapingClock extends OffsetClock {
  /** How far it is ahead. */
  leapMs = 0;

  override now(): number {
    return super.now() + this.leapMs;
  }
}
