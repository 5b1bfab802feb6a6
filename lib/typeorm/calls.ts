import type { Database, Queries, StatementTraits, Transaction, TransactionTraits } from './database.js';
import { Seats } from './seats.js';

/** Of the pool, what calls leave to the loop: claims and firings, settlements, renewals. */
const connectionsOfLoop = 2;

/**
 * The database as calls of the application use it: they wait for each other, so that thousands at once leave connections to the loop.
 * In a pool of two or three one call at a time waits, and the rest is the loop's.
 */
export class Calls implements Queries {
  private readonly seats: Seats;

  constructor(
    private readonly database: () => Database,
    poolSize: number,
    private readonly deadlineMs: number,
  ) {
    this.seats = new Seats(Math.max(poolSize - connectionsOfLoop, 1));
  }

  run<Row>(text: string, values?: readonly unknown[], traits?: StatementTraits): Promise<Row[]> {
    const database = this.database();
    return this.seats.perform(() => database.run<Row>(text, values, traits), this.deadlineMs);
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>, traits?: TransactionTraits): Promise<T> {
    const database = this.database();
    return this.seats.perform(() => database.transaction(work, traits), this.deadlineMs);
  }
}
