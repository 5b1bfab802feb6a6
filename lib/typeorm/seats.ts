import { StorageError } from '../model/errors.js';
import { msSince, rightNow } from './beat.times.js';

/** Lets so many in at once; the others wait in order. */
export class Seats {
  private readonly waiting: ((error?: Error) => void)[] = [];
  private taken = 0;
  /** When those that are in have got their seats. */
  private readonly since = new Set<{ at: bigint }>();

  constructor(private readonly count: number) {}

  /** Performs the work as soon as a seat is free. `deadlineMs`: how long to wait for that; then it rejects with StorageError. @default no deadline */
  perform<T>(work: () => Promise<T>, deadlineMs?: number): Promise<T> {
    if (this.taken === this.count) return this.next(deadlineMs).then(() => this.seated(work));
    this.taken++;
    return this.seated(work);
  }

  private async seated<T>(work: () => Promise<T>): Promise<T> {
    const entry = { at: rightNow() };
    this.since.add(entry);
    try {
      return await work();
    } finally {
      this.since.delete(entry);
      const next = this.waiting.shift();
      // The seat goes from one to the next, so nobody comes in between.
      if (next) next();
      else this.taken--;
    }
  }

  /** Rejects all who wait. */
  end(error: Error): void {
    for (const tell of this.waiting.splice(0)) tell(error);
  }

  private async next(deadlineMs: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      const tell = (error?: Error): void => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.waiting.push(tell);
      if (deadlineMs === undefined) return;
      timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(tell), 1);
        const why = this.whyNone(deadlineMs);
        reject(
          new StorageError(`No connection to PostgreSQL was free for a call within ${deadlineMs} ms: ${why}`),
        );
      }, deadlineMs);
    });
  }
  /** A call that has gone on for so long is hardly one of many: the server has it wait. */
  private whyNone(deadlineMs: number): string {
    const longestMs = Math.max(0, ...Array.from(this.since, ({ at }) => msSince(at)));
    const { length } = this.waiting;
    if (longestMs < deadlineMs / 2) return `${length} calls wait. Make fewer at once, or raise poolSize.`;
    return `a call before it has been under way for ${Math.round(longestMs)} ms, as a rule since somebody has locked what it changes, and ${length} more wait. Look for that transaction in pg_stat_activity, and end it.`;
  }
}
