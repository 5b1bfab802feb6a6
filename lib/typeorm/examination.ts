import { StorageError } from '../model/errors.js';
import type { Connected } from './sockets.js';
import { examineConnectionSql } from './sql/examine.connection.sql.js';
import { whereSet } from './where.set.js';

type Run = <Row>(text: string, values: readonly unknown[]) => Promise<Row[]>;

const sql = examineConnectionSql();

/** The server takes no changes: a standby, or one that is fenced. Another one may, or this one later. */
export class ReadOnlyServerError extends StorageError {}

/**
 * Looks at each new connection once: after a failover the same address may lead to a standby, or to a server that was the primary before.
 */
export class Examination {
  /** Which connections have passed, by the number of failovers until then. */
  private readonly passed = new WeakMap<object, number>();
  private failovers = 0;

  constructor(
    /** The server, for messages. */
    private readonly place: string,
  ) {}

  /** Whether it has passed; null: it was not examined yet. False: it was opened before a failover, and its address may stand for another server by now. */
  hasPassed(client: object): boolean | null {
    const passed = this.passed.get(client);
    return passed === undefined ? null : passed === this.failovers;
  }

  /** Examines one that was not yet. The same answer. Throws StorageError. */
  async passes(client: object, run: Run): Promise<boolean> {
    await this.examine(client, run);
    this.passed.set(client, this.failovers);
    return true;
  }

  /** The server of this connection has refused a change because it is read-only. All others lead there too. */
  noteFailover(client: object): void {
    if (this.passed.get(client) === this.failovers) this.failovers++;
  }

  private async examine(client: Pick<Connected, 'connection'>, run: Run): Promise<void> {
    if (client.connection?.stream === undefined) {
      throw new StorageError(
        'The driver is not the JavaScript client of pg (it may be pg-native, by NODE_PG_FORCE_NATIVE or the option driver): Chronis needs that one, which has deadlines and parsers for each query.',
      );
    }
    const [answer] = await run<{ standby: boolean; read_only: boolean }>(sql, []);
    if (!answer.standby && !answer.read_only) return;
    const why = answer.standby
      ? 'it is a standby that was not promoted. When a failover is under way nothing is to be done, as each new connection asks again.'
      : `default_transaction_read_only is on. ${await whereSet(run, 'default_transaction_read_only')}`;
    throw new ReadOnlyServerError(`PostgreSQL at ${this.place} takes no changes: ${why}`);
  }
}
