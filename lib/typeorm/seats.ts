import { StorageError } from '../model/errors.js';

/** Lets so many in at once; the others wait in order. */
export class Seats {
  private readonly waiting: ((error?: Error) => void)[] = [];
  private taken = 0;

  constructor(private readonly count: number) {}

  /** Performs the work as soon as a seat is free. `deadlineMs`: how long to wait for that; then it rejects with StorageError. @default no deadline */
  async perform<T>(work: () => Promise<T>, deadlineMs?: number): Promise<T> {
    if (this.taken < this.count) this.taken++;
    else await this.next(deadlineMs);
    try {
      return await work();
    } finally {
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
        reject(
          new StorageError(
            `No connection to PostgreSQL was free for a call within ${deadlineMs} ms: ${this.waiting.length} calls wait. Make fewer at once, or raise poolSize.`,
          ),
        );
      }, deadlineMs);
    });
  }
}
