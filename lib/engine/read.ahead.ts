import type { DueCursor, EpochMs } from '../ports/storage.adapter.js';
import type { Lead } from './lead.js';

/** A cursor with how long before its time it may be fired at most; null: not before it. */
export interface ReadCursor {
  cursor: DueCursor;
  mostMs: number | null;
}

/**
 * Cursors that were read before they are due. Nothing is decided yet: the firing compares each with what stands in the storage by then, so a pause or a
 * change in between counts. Those that may be fired early are, by as much as the firing takes.
 */
export class ReadAhead {
  constructor(
    /** Earliest first. */
    private cursors: ReadCursor[],
    /** There are no others up to this time, as far as was known when they were read. */
    private readonly horizon: EpochMs,
    private readonly lead: Lead,
  ) {}

  /** When the first of them is due; null: none is left. */
  get nextAt(): EpochMs | null {
    return this.cursors[0]?.cursor.nominalAt ?? null;
  }

  /** When the first of them is to be fired; null: none is left. */
  get fireAt(): EpochMs | null {
    const { leadMs } = this;
    let at = Infinity;
    for (const read of this.cursors) {
      if (read.cursor.nominalAt - leadMs >= at) break;
      at = Math.min(at, firedAt(read, leadMs));
    }
    return at === Infinity ? null : at;
  }

  /** Whether a cursor at this time would be among them. */
  covers(at: EpochMs): boolean {
    return at <= this.horizon;
  }

  /** Takes out what is to be fired at `now`. */
  take(now: EpochMs): DueCursor[] {
    const { leadMs } = this;
    const taken: DueCursor[] = [];
    this.cursors = this.cursors.filter((read) => {
      if (firedAt(read, leadMs) > now) return true;
      taken.push(read.cursor);
      return false;
    });
    return taken;
  }

  /**
   * The earliest cursor there is, is at this time: others have fired those before it. False: it is not among these, so they have to be
   * read again.
   */
  agreesWith(earliestAt: EpochMs | null): boolean {
    this.cursors = this.cursors.filter(({ cursor }) => earliestAt !== null && cursor.nominalAt >= earliestAt);
    return this.nextAt !== null && this.nextAt === earliestAt;
  }

  /** For all that are due at the first instant; if there are more than were read, it is not too early to begin. */
  private get leadMs(): number {
    const first = this.nextAt ?? Infinity;
    if (first > this.horizon) return this.lead.mostMs;
    const later = this.cursors.findIndex(({ cursor }) => cursor.nominalAt > first);
    return this.lead.of(later < 0 ? this.cursors.length : later);
  }
}

function firedAt({ cursor, mostMs }: ReadCursor, leadMs: number): EpochMs {
  return cursor.nominalAt - Math.min(leadMs, mostMs ?? 0);
}
