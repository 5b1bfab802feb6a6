import { msSince, rightNow } from './beat.times.js';

const leastMs = 100;
const mostMs = 2_000;
/** As long as nothing is known. */
const firstMs = 500;
/** How many commits of others, one after the other, a settlement waits for. */
const turns = 8;
const remembered = 16;

/**
 * How long a settlement waits for a lock until it takes it for that of somebody who keeps it: long enough for the settlements of other workers, which each hold the statistics of a job
 * until they are committed. How long that takes, on a server that waits for its standby for instance, tells the quickest of the last settlements of this process, as that had to wait for nobody.
 */
export class SettlementPatience {
  private readonly recent: number[] = [];

  get ms(): number {
    if (this.recent.length === 0) return firstMs;
    return Math.round(Math.min(Math.max(turns * Math.min(...this.recent), leastMs), mostMs));
  }

  /** Work that writes and is committed. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const begunAt = rightNow();
    const result = await work();
    this.recent.push(msSince(begunAt));
    if (this.recent.length > remembered) this.recent.shift();
    return result;
  }
}
