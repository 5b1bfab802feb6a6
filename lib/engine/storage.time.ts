import type { Clock } from '../ports/clock.js';

const samplesKept = 8;

/**
 * The storage's clock as this process sees it, never ahead of it: each answer carries the storage's time, which was read
 * before the answer arrived, so `time + (monotonic since the arrival)` is a lower bound, and the highest of the last few
 * is the best one. What is due by this clock is due by the storage's. Local wall time plays no part.
 */
export class StorageTime {
  private readonly samples: number[] = [];
  private highest: number | null = null;

  constructor(private readonly clock: Clock) {}

  /** Notes the storage's time from an answer that has just arrived. */
  observe(storageNow: number): void {
    this.samples.push(storageNow - this.clock.monotonic());
    if (this.samples.length > samplesKept) this.samples.shift();
    this.highest = Math.max(...this.samples);
  }

  /** Epoch milliseconds of the storage's clock; fractions are cut off. */
  now(): number {
    return Math.floor(this.exact);
  }

  /** Milliseconds until `now()` is at this time, fractions included; negative once it is past. */
  until(at: number): number {
    return Math.ceil(at) - this.exact;
  }

  /** How far the local wall clock is ahead of the storage's. */
  get localOffsetMs(): number {
    return this.clock.now() - this.now();
  }

  private get exact(): number {
    if (this.highest === null) return this.clock.now();
    return this.highest + this.clock.monotonic();
  }
}
