import type { Clock } from '../ports/clock.js';
import type { Database } from './database.js';
import { findSwollenSql } from './sql/find.swollen.sql.js';
import type { TableNames } from './sql/table.names.js';

interface SwollenTable {
  name: string;
  unknown: boolean;
}

/** Runs that have ended in this process until it looks what they have left in the tables. */
const runsPerLook = 20_000;
/** The pause after a clean-up is so many times as long as that took. */
const pausePerTime = 20;

/**
 * Has the server reuse the room of rows that are gone while there are many of them. The server comes by itself once a minute at best; by then ten thousand runs
 * a second have left some hundred megabytes, more than it keeps in memory, and each statement reads past them.
 *
 * Only what is small is cleaned up, so it takes some ten milliseconds. Where the tables are somebody else's nothing is done.
 */
export class Vacuuming {
  private ended = 0;
  private nextAt = -Infinity;
  private underWay: Promise<void> | null = null;

  constructor(
    private readonly database: () => Database,
    private readonly tables: TableNames,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  /** So many runs have ended. Returns at once. */
  note(runs: number): void {
    this.ended += runs;
    if (this.ended < runsPerLook || this.underWay !== null || this.clock.monotonic() < this.nextAt) return;
    this.ended = 0;
    this.underWay = this.look().finally(() => {
      this.underWay = null;
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.underWay;
  }

  /** Never rejects: the server will come by itself. */
  private async look(): Promise<void> {
    try {
      const swollen = await this.database().plain<SwollenTable>(findSwollenSql(this.tables));
      if (swollen.length === 0) return;
      const begunAt = this.clock.monotonic();
      const names = swollen.map(({ name }) => name).join(', ');
      // To give room back to the file system would lock out everybody for a moment.
      const analyze = swollen.some(({ unknown }) => unknown) ? ', analyze' : '';
      await this.database().plain(`vacuum (skip_locked, truncate off${analyze}) ${names}`);
      const endedAt = this.clock.monotonic();
      this.nextAt = endedAt + pausePerTime * (endedAt - begunAt);
    } catch {
      this.nextAt = this.clock.monotonic() + 60_000;
    }
  }
}
