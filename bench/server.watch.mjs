import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** Looks at a database from another one, so as not to count itself: transactions, deadlocks, connections, and how many of them wait for a lock. */
export class ServerWatch {
  #client;
  #database;
  #before = null;
  #samples = [];
  #watching = null;
  #stopped = false;

  constructor({ server, database }) {
    this.#client = new pg.Client({ connectionString: server });
    this.#database = database;
  }

  async begin() {
    this.#client.on('error', () => undefined);
    await this.#client.connect();
    this.#before = await this.#counters();
    this.#watching = this.#sample();
  }

  /** Per second of the time between; `waiting`: connections that waited for a lock, on average and at most. */
  async end() {
    this.#stopped = true;
    await this.#watching;
    const after = await this.#counters();
    await this.#client.end();
    const seconds = (after.at - this.#before.at) / 1_000;
    const waiting = this.#samples.map((sample) => sample.waiting);
    return {
      seconds,
      transactions: (after.transactions - this.#before.transactions) / seconds,
      deadlocks: after.deadlocks - this.#before.deadlocks,
      connections: Math.max(...this.#samples.map((sample) => sample.connections)),
      waiting: waiting.reduce((sum, count) => sum + count, 0) / waiting.length,
      mostWaiting: Math.max(...waiting),
    };
  }

  async #sample() {
    while (!this.#stopped) {
      const { rows } = await this.#client.query(
        `select count(*)::int as connections, (count(*) filter (where wait_event_type = 'Lock'))::int as waiting
         from pg_stat_activity where datname = $1`,
        [this.#database],
      );
      this.#samples.push(rows[0]);
      await delay(50);
    }
  }

  async #counters() {
    await delay(1_200); // Backends report what they did within a second.
    const { rows } = await this.#client.query(
      `select (xact_commit + xact_rollback)::float8 as transactions, deadlocks::float8 from pg_stat_database where datname = $1`,
      [this.#database],
    );
    return { ...rows[0], at: performance.now() };
  }
}
