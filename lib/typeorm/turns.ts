import { StorageError } from '../model/errors.js';

/** Lets so many in at once; the others wait in order. */
export class Turns {
  private readonly waiting: ((error?: Error) => void)[] = [];
  private taken = 0;

  constructor(private readonly places: number) {}

  /** Performs the work in its turn. `deadlineMs`: how long to wait for that; then it rejects with StorageError. @default no deadline */
  async perform<T>(work: () => Promise<T>, deadlineMs?: number): Promise<T> {
    if (this.taken < this.places) this.taken++;
    else await this.turn(deadlineMs);
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // The place goes from one to the next, so nobody comes in between.
      if (next) next();
      else this.taken--;
    }
  }

  /** Rejects all who wait. */
  end(error: Error): void {
    for (const tell of this.waiting.splice(0)) tell(error);
  }

  private async turn(deadlineMs: number | undefined): Promise<void> {
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
