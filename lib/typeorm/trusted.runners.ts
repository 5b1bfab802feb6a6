import type { DataSource, QueryRunner } from 'typeorm';
import { sqlStateOf } from './sql.errors.js';
import { within } from './deadline.js';
import { destroy, type Connected } from './sockets.js';

/** It takes no changes any more, as after a failover. */
const readOnly = '25006';
const closingMs = 500;

/** Connections for handlers, from a pool that does not look at them itself: none that was opened before its server was found to be read-only. */
export class TrustedRunners {
  /** How many failovers there had been when a connection was first used. */
  private readonly firstUsed = new WeakMap<object, number>();
  private failovers = 0;

  /** Connected, and with its client. To be released by the caller. */
  async take(source: DataSource): Promise<[runner: QueryRunner, client: object]> {
    for (;;) {
      const runner = source.createQueryRunner();
      try {
        const client = (await runner.connect()) as object;
        const first = this.firstUsed.get(client) ?? this.failovers;
        this.firstUsed.set(client, first);
        if (first === this.failovers) return [runner, client];
        await end(client);
      } catch (error) {
        await runner.release();
        throw error;
      }
      await runner.release();
    }
  }

  /** What went wrong on a connection decides whether it, and those that are as old, are used again. */
  async note(error: unknown, client: object): Promise<void> {
    if (sqlStateOf(error) !== readOnly) return;
    if (this.firstUsed.get(client) === this.failovers) this.failovers++;
    await end(client);
  }
}

/** The pool takes back none that has ended. */
async function end(client: object): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    (client as Connected).on('end', resolve);
  });
  destroy(client);
  await within(closingMs, ended);
}
