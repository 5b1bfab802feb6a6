import type { ChronisEvents } from '../events/chronis.events.js';
import type { LockableTable, LockedWork } from '../events/event.map.js';
import type { Clock } from '../ports/clock.js';

/** A transaction that is over by then is nobody's concern. */
const worthTellingMs = 5_000;
/** Who locks rows again and again is told so often at most within so long. */
const mostTold = { times: 4, withinMs: 60_000 };

/** Which rows it may be that the work waits for. The storage does not tell which of them. */
const tables: Readonly<Record<LockedWork, readonly LockableTable[]>> = {
  results: ['run', 'job_stat', 'cursor'],
  returns: ['run', 'job_stat', 'cursor'],
  schedules: ['cursor', 'run', 'job_stat', 'job'],
};

interface Waiting {
  /** What waits, and since when (monotonic). */
  since: Map<string, number>;
  /** Of the lock that was told; null: none. */
  toldOf: number | null;
  /** When it was told, the last times. */
  toldAt: number[];
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
      waiting = { since: new Map(), toldOf: null, toldAt: [] };
      this.waiting.set(work, waiting);
    }
    const { since } = waiting;
    if (!since.has(what)) since.set(what, now);
    // The first one has waited longest.
    const [first, firstAt] = since.entries().next().value!;
    const lockedMs = now - firstAt;
    if (waiting.toldOf !== null || lockedMs < worthTellingMs) return;
    waiting.toldAt = waiting.toldAt.filter((at) => now - at < mostTold.withinMs);
    if (waiting.toldAt.length >= mostTold.times) return;
    waiting.toldOf = firstAt;
    waiting.toldAt.push(now);
    this.events.emit('rows.locked', { work, tables: tables[work], rows: since.size, lockedMs, first });
  }

  /** Whether any of this kind waits. */
  waits(work: LockedWork): boolean {
    return (this.waiting.get(work)?.since.size ?? 0) > 0;
  }

  /** This does not wait any more. */
  free(work: LockedWork, what: string): void {
    const waiting = this.waiting.get(work);
    if (waiting?.since.delete(what) && waiting.since.size === 0) this.tellEnd(work, waiting);
  }

  /** Nobody here waits for this any more, whether or not it is locked still. */
  leave(work: LockedWork, what: string): void {
    const waiting = this.waiting.get(work);
    if (waiting?.since.delete(what) && waiting.since.size === 0) waiting.toldOf = null;
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
    this.events.emit('rows.unlocked', { work, tables: tables[work], lockedMs });
  }
}
