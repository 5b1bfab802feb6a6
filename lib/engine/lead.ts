/** From this many on, a statement tells what each of those it is about takes. */
const many = 50;
/** As long as that is not known. */
const shareOfShort = 1 / 20;
/** To ask for the time between the answer and the instant: see `EarlyRuns`. */
const askingMs = 2;

/**
 * How long before its instant a statement is sent, so that its answer is there a moment before the instant: as long as such statements have taken lately, and a little more.
 * Nothing, as long as it is not known.
 */
export class Lead {
  private shortMs = 0;
  private eachMs: number | null = null;

  constructor(
    /** No longer than this. */
    readonly mostMs: number,
  ) {}

  /** A statement about so many has taken this long. */
  note(count: number, tookMs: number): void {
    if (count >= many) this.eachMs = towards(this.eachMs ?? tookMs / count, tookMs / count);
    else this.shortMs = towards(this.shortMs, tookMs);
  }

  /** Another statement has taken this long: better than nothing. */
  guess(tookMs: number): void {
    if (this.shortMs === 0) this.shortMs = tookMs;
  }

  /** Milliseconds, for statements about so many in all. */
  of(count: number): number {
    const eachMs = this.eachMs ?? this.shortMs * shareOfShort;
    if (this.shortMs === 0) return 0;
    return Math.min(1.5 * this.shortMs + eachMs * count + askingMs, this.mostMs);
  }
}

/** Follows what grows sooner than what shrinks. */
function towards(from: number, to: number): number {
  return from + (to - from) * (to > from ? 0.5 : 0.1);
}
