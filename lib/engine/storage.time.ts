import type { Clock } from '../ports/clock.js';

/** Samples count for so many more, and for as long as this: a busy worker gets many answers that took long. */
const samplesKept = 8;
const keptMs = 2_000;

interface Sample {
  bound: number;
  nth: number;
  at: number;
}

/**
 * The storage's clock as this process sees it, never ahead of it: each answer carries the storage's time, which was read
 * before the answer arrived, so `time + (monotonic since the arrival)` is a lower bound, and the highest of the last few
 * is the best one. What is due by this clock is due by the storage's. Local wall time plays no part.
 */
export class StorageTime {
  /** Each higher than those after it, so the first one is the highest. */
  private readonly samples: Sample[] = [];
  private count = 0;

  constructor(private readonly clock: Clock) {}

  /** Notes the storage's time from an answer that has just arrived. */
  observe(storageNow: number): void {
    const { samples } = this;
    const at = this.clock.monotonic();
    const sample = { bound: storageNow - at, nth: this.count++, at };
    while (samples.length > 0 && samples.at(-1)!.bound <= sample.bound) samples.pop();
    samples.push(sample);
    const isOver = ({ nth, at: since }: Sample): boolean =>
      nth <= sample.nth - samplesKept && since < at - keptMs;
    while (isOver(samples[0]!)) samples.shift();
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
    const [highest] = this.samples;
    return highest === undefined ? this.clock.now() : highest.bound + this.clock.monotonic();
  }
}
