import type { ChronisEvents } from '../events/chronis.events.js';
import type { LockedWork } from '../events/event.map.js';
import type { Clock } from '../ports/clock.js';

/** A transaction that is over by then is nobody's concern. */
const worthTellingMs = 5_000;
/** Who locks rows again and again is told so often at most. */
const tellEveryMs = 60_000;

const tables = { results: 'run', returns: 'run', schedules: 'cursor' } as const;

interface Waiting {
  /** What waits, and since when (monotonic). */
  since: Map<string, number>;
  /** Of the lock that was told; null: none. */
  toldOf: number | null;
  toldAt: number;
}

/** Tells of rows that somebody else keeps locked: once after some seconds, and when that is over. What waits for them is passed over and tried again, so nothing else would tell. */
export class ForeignLocks {
  private readonly waiting = new Map<LockedWork, Waiting>();

  constructor(
    private readonly clock: Clock,
    private readonly events: ChronisEvents,
  ) {}

  /** This was passed over, as somebody else has locked it. */
  note(work: LockedWork, what: string): void {
    const now = this.clock.monotonic();
    let waiting = this.waiting.get(work);
    if (waiting === undefined) {
      waiting = { since: new Map(), toldOf: null, toldAt: -Infinity };
      this.waiting.set(work, waiting);
    }
    const { since } = waiting;
    if (!since.has(what)) since.set(what, now);
    // The first one has waited longest.
    const [first, firstAt] = since.entries().next().value!;
    const lockedMs = now - firstAt;
    if (waiting.toldOf !== null || lockedMs < worthTellingMs || now - waiting.toldAt < tellEveryMs) return;
    waiting.toldOf = firstAt;
    waiting.toldAt = now;
    this.events.emit('rows.locked', { work, table: tables[work], rows: since.size, lockedMs, first });
  }

  /** This does not wait any more. */
  free(work: LockedWork, what: string): void {
    const waiting = this.waiting.get(work);
    if (waiting?.since.delete(what) && waiting.since.size === 0) this.tellEnd(work, waiting);
  }

  /** Nothing waits any more but these, if they do. */
  keep(work: LockedWork, those: ReadonlySet<string>): void {
    const waiting = this.waiting.get(work);
    for (const what of waiting?.since.keys() ?? []) if (!those.has(what)) this.free(work, what);
  }

  private tellEnd(work: LockedWork, waiting: Waiting): void {
    if (waiting.toldOf === null) return;
    const lockedMs = this.clock.monotonic() - waiting.toldOf;
    waiting.toldOf = null;
    this.events.emit('rows.unlocked', { work, table: tables[work], lockedMs });
  }
}
