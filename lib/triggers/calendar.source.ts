import { longestGap, type Touch } from './cron.source.js';
import type { OccurrenceSource } from './occurrence.source.js';
import { readWallTime } from './wall.time.js';
import { lastInstantMs } from './zone.limits.js';
import type { ZoneOffsets } from './zone.offsets.js';

const dayMs = 86_400_000;

/**
 * Every so many days at the wall time of the anchor. A wall time that does not exist runs at the end of the gap, one
 * that exists twice in the first pass, like the fixed times of a cron.
 */
export class CalendarSource implements OccurrenceSource {
  private readonly anchorLocal: number;

  constructor(
    readonly anchor: number,
    private readonly stepMs: number,
    private readonly zone: ZoneOffsets,
  ) {
    this.anchorLocal = this.localOf(anchor);
  }

  nextFrom(at: number): number | null {
    if (at <= this.anchor) return this.anchor;
    if (at > lastInstantMs) return null;
    for (let k = this.indexBefore(at); ; k++) {
      const found = this.instantOf(k);
      if (found !== null && found >= at) return found <= lastInstantMs ? found : null;
    }
  }

  previousFrom(at: number): number | null {
    if (at < this.anchor) return null;
    const until = Math.min(at, lastInstantMs);
    for (let k = this.indexBefore(until) + 3; k >= 0; k--) {
      const found = this.instantOf(k);
      if (found !== null && found <= until) return found;
    }
    return null;
  }

  /** The last instant up to `at` of the same days, as if they had begun long ago, that has the wall time of the anchor. */
  anchorUpTo(at: number): number {
    const last = Math.floor((this.localOf(at) + dayMs - this.anchorLocal) / this.stepMs);
    for (let k = last; ; k--) {
      const local = this.anchorLocal + k * this.stepMs;
      const second = Math.floor(local / 1000);
      const reading = readWallTime(this.zone, second);
      // An anchor behind a gap would have another wall time from then on.
      if (reading.kind === 'gap') continue;
      const found = reading.at * 1000 + (local - second * 1000);
      if (found <= at) return found;
    }
  }

  /** What a change of the clocks did to an instant of this schedule; null: nothing. */
  touchOf(at: number): Touch | null {
    const second = Math.floor(at / 1000);
    const { changedAt, before } = this.zone.segmentAt(second);
    const local = this.localOf(at);
    if (second === changedAt && (local - this.anchorLocal) % dayMs !== 0) {
      const shown = (changedAt + before) * 1000;
      return { missing: Math.floor((shown + modulo(this.anchorLocal - shown, dayMs)) / 1000) };
    }
    return readWallTime(this.zone, Math.floor(local / 1000)).kind === 'overlap' ? { pass: 'first' } : null;
  }

  /** An index whose instant is surely before `at`. */
  private indexBefore(at: number): number {
    return Math.max(0, Math.floor((this.localOf(at) - 2 * dayMs - this.anchorLocal) / this.stepMs));
  }

  private instantOf(k: number): number | null {
    if (k === 0) return this.anchor;
    const local = this.anchorLocal + k * this.stepMs;
    const second = Math.floor(local / 1000);
    const reading = readWallTime(this.zone, second);
    if (reading.kind === 'gap') return reading.length > longestGap ? null : reading.end * 1000;
    return reading.at * 1000 + (local - second * 1000);
  }

  private localOf(at: number): number {
    return at + this.zone.segmentAt(Math.floor(at / 1000)).offset * 1000;
  }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
