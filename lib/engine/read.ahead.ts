import type { DueCursor, EpochMs } from '../ports/storage.adapter.js';
import type { Lead } from './lead.js';

/**
 * Cursors that were read before they are due. Nothing is decided yet: the firing compares each with what stands in the storage by then, so a pause or a
 * change in between counts. Those that may be fired early are, by as much as the firing takes.
 */
export class ReadAhead {
  /** Earliest first. */
  private early: DueCursor[];
  private timely: DueCursor[];

  constructor(
    cursors: readonly DueCursor[],
    /** There are no others up to this time, as far as was known when they were read. */
    private readonly horizon: EpochMs,
    private readonly lead: Lead,
    mayBeEarly: (cursor: DueCursor) => boolean,
  ) {
    const early = new Set(cursors.filter(mayBeEarly));
    this.early = [...early];
    this.timely = cursors.filter((cursor) => !early.has(cursor));
  }

  /** When the first of them is due; null: none is left. */
  get nextAt(): EpochMs | null {
    const at = Math.min(firstOf(this.early), firstOf(this.timely));
    return at === Infinity ? null : at;
  }

  /** When the first of them is to be fired; null: none is left. */
  get fireAt(): EpochMs | null {
    const at = Math.min(firstOf(this.early) - this.leadMs, firstOf(this.timely));
    return at === Infinity ? null : at;
  }

  /** Whether a cursor at this time would be among them. */
  covers(at: EpochMs): boolean {
    return at <= this.horizon;
  }

  /** Takes out what is to be fired at `now`. */
  take(now: EpochMs): DueCursor[] {
    const early = takeUntil(this.early, now + this.leadMs);
    return [...takeUntil(this.timely, now), ...early];
  }

  /**
   * The earliest cursor there is, is at this time: others have fired those before it. False: it is not among these, so they have to be
   * read again.
   */
  agreesWith(earliestAt: EpochMs | null): boolean {
    const isThere = ({ nominalAt }: DueCursor): boolean => earliestAt !== null && nominalAt >= earliestAt;
    this.early = this.early.filter(isThere);
    this.timely = this.timely.filter(isThere);
    return this.nextAt !== null && this.nextAt === earliestAt;
  }

  /** For all that are due at the first instant; if there are more than were read, it is not too early to begin. */
  private get leadMs(): number {
    const first = firstOf(this.early);
    if (first > this.horizon) return this.lead.mostMs;
    const later = this.early.findIndex(({ nominalAt }) => nominalAt > first);
    return this.lead.of(later < 0 ? this.early.length : later);
  }
}

function firstOf(cursors: readonly DueCursor[]): number {
  return cursors[0]?.nominalAt ?? Infinity;
}

function takeUntil(cursors: DueCursor[], until: EpochMs): DueCursor[] {
  const later = cursors.findIndex(({ nominalAt }) => nominalAt > until);
  return cursors.splice(0, later < 0 ? Infinity : later);
}
