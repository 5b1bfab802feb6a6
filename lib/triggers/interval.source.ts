import type { OccurrenceSource } from './occurrence.source.js';
import { lastInstantMs } from './zone.limits.js';

/** The grid anchor + k · every for k ≥ 0: exact elapsed time, whatever the clocks on the wall do. */
export class IntervalSource implements OccurrenceSource {
  constructor(
    readonly anchor: number,
    readonly everyMs: number,
  ) {}

  nextFrom(at: number): number | null {
    const k = Math.max(0, Math.ceil((at - this.anchor) / this.everyMs));
    const found = this.anchor + k * this.everyMs;
    return found <= lastInstantMs ? found : null;
  }

  previousFrom(at: number): number | null {
    if (at < this.anchor) return null;
    return (
      this.anchor + Math.floor((Math.min(at, lastInstantMs) - this.anchor) / this.everyMs) * this.everyMs
    );
  }

  /** How many instants lie in [from, until], at most `limit`, and the last of those counted. */
  countBetween(from: number, until: number, limit: number): { count: number; last: number | null } {
    const first = this.nextFrom(from);
    if (first === null || first > until || limit < 1) return { count: 0, last: null };
    const count = Math.min(Math.floor((Math.min(until, lastInstantMs) - first) / this.everyMs) + 1, limit);
    return { count, last: first + (count - 1) * this.everyMs };
  }
}
