/** Samples count for so many more, and for as long as this: a busy worker gets many answers that took long. */
const samplesKept = 8;
const keptMs = 2_000;
/** By how much two clocks may come apart while nothing is heard: twice what time servers slew by, and more than any crystal. */
const drift = 1 / 1_000;
/** How much of a millisecond what is known for certain goes on in one. */
export const slowestPace = 1 - drift;

interface Sample {
  bound: number;
  nth: number;
  at: number;
}

/** What one answer says: the storage's clock is ahead of the monotonic one by at least and at most so much. */
export interface Reading {
  least: number;
  most: number;
  /** Monotonic time of the arrival. */
  at: number;
}

/**
 * How far one clock is ahead of the monotonic one here. The storage's time in an answer was read before that arrived, and after the question was sent: so each answer bounds it from
 * both sides, and the best of the last few counts.
 */
export class ClockOffset {
  /** Each higher than those after it, so the first one is the highest. */
  private readonly samples: Sample[] = [];
  private count = 0;
  private most = Infinity;
  private mostAt = 0;

  note({ least, most, at }: Reading): void {
    const { samples } = this;
    this.most = least > this.mostBy(at) ? most : Math.min(this.mostBy(at), most);
    this.mostAt = at;
    // Higher than it can be: that clock has been set back.
    while (samples.length > 0 && samples[0]!.bound > most) samples.shift();
    const sample = { bound: least, nth: this.count++, at };
    while (samples.length > 0 && samples.at(-1)!.bound <= sample.bound) samples.pop();
    samples.push(sample);
    const isOver = ({ nth, at: since }: Sample): boolean =>
      nth <= sample.nth - samplesKept && since < at - keptMs;
    while (isOver(samples[0]!)) samples.shift();
  }

  /** The best that is known, without regard to what has passed since; null: nothing is. */
  get best(): number | null {
    return this.samples[0]?.bound ?? null;
  }

  /** Not more than it is at this time, also if the clocks come apart. */
  leastBy(at: number): number {
    let most = -Infinity;
    for (const { bound, at: since } of this.samples) most = Math.max(most, bound - drift * (at - since));
    return most;
  }

  /** Not less than it is at this time, also if the clocks come apart. */
  mostBy(at: number): number {
    return this.most + drift * (at - this.mostAt);
  }

  /** How far apart both bounds are at this time; 0: nothing is known, or it is exactly. */
  spreadAt(at: number): number {
    return this.samples.length === 0 ? 0 : Math.max(this.mostBy(at) - this.leastBy(at), 0);
  }

  /** By how much a reading is beyond what can be: above 0 ahead of it, below 0 behind it. */
  leapOf({ least, most, at }: Reading): number {
    if (this.samples.length === 0) return 0;
    const ahead = least - this.mostBy(at);
    const behind = this.leastBy(at) - most;
    return ahead > 0 ? ahead : behind > 0 ? -behind : 0;
  }
}
