/** So long a connection that is not used stays at hand, and up to twice as long. */
const keptMs = 1_000;

interface Client {
  connection?: { stream?: { destroyed?: boolean; writable?: boolean } };
}
type Kept<C> = readonly [client: C, release: (error?: Error) => void];

/**
 * The connection that was used last, for the next one who needs any: to give it to the pool and get it again takes longer than the rest of the way to the server, as the pool sets timers for it
 * and waits for the next turn of the event loop. After a moment without use it goes back to the pool, which ends what is idle for long.
 */
export class KeptConnection<C extends Client> {
  private kept: Kept<C> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private isUsed = false;
  private isClosed = false;

  /** Null: there is none. */
  take(): Kept<C> | null {
    const { kept } = this;
    if (kept === null) return null;
    this.kept = null;
    this.isUsed = true;
    const { destroyed, writable } = kept[0].connection?.stream ?? {};
    if (destroyed === false && writable === true) return kept;
    kept[1](new Error('It has ended while nobody used it.'));
    return null;
  }

  /** Keeps one that is free, or gives it back. */
  put(connection: Kept<C>): void {
    if (this.kept !== null || this.isClosed) return connection[1]();
    this.kept = connection;
    this.timer ??= this.timed();
  }

  /** Gives back what it has, and whatever comes from now on. */
  close(): void {
    this.isClosed = true;
    this.giveBack();
  }

  private timed(): NodeJS.Timeout {
    this.isUsed = false;
    return setTimeout(() => {
      this.timer = null;
      if (this.isUsed) this.timer = this.timed();
      else this.giveBack();
    }, keptMs).unref();
  }

  private giveBack(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { kept } = this;
    this.kept = null;
    kept?.[1]();
  }
}
