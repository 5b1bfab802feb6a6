import type { DueCursor, EpochMs } from '../ports/storage.adapter.js';

/**
 * Cursors that were read before they are due, earliest first. Nothing is decided yet: the firing compares each with what stands in the
 * storage by then, so a pause or a change in between counts.
 */
export class ReadAhead {
  constructor(
    private cursors: DueCursor[],
    /** There are no others up to this time, as far as was known when they were read. */
    private readonly horizon: EpochMs,
  ) {}

  /** When the first of them is due; null: none is left. */
  get nextAt(): EpochMs | null {
    return this.cursors[0]?.nominalAt ?? null;
  }

  /** Whether a cursor at this time would be among them. */
  covers(at: EpochMs): boolean {
    return at <= this.horizon;
  }

  /** Takes out what is due at `now`. */
  takeDue(now: EpochMs): DueCursor[] {
    const later = this.cursors.findIndex(({ nominalAt }) => nominalAt > now);
    return this.cursors.splice(0, later < 0 ? Infinity : later);
  }

  /**
   * The earliest cursor there is, is at this time: others have fired those before it. False: it is not among these, so they have to be
   * read again.
   */
  agreesWith(earliestAt: EpochMs | null): boolean {
    this.cursors = this.cursors.filter(({ nominalAt }) => earliestAt !== null && nominalAt >= earliestAt);
    return this.nextAt !== null && this.nextAt === earliestAt;
  }
}
