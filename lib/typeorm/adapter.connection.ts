import { StorageBusyError, StorageError } from '../model/errors.js';
import { connect } from './connect.js';
import type { Database } from './database.js';
import { LedgerDays } from './ledger.days.js';
import { prepareSchema } from './migrations.js';
import { refuseEncoding } from './server.encoding.js';
import { readTimeSql } from './sql/read.time.sql.js';
import type { AdapterSettings, PostgresOptions } from './typeorm.options.js';

const retryInMs = 500;

/** The database of one adapter, from its opening to its end. */
export class AdapterConnection {
  /** Called when a server is found to take no changes any more. */
  onFailover: () => void = () => undefined;
  /** It is opened by somebody who changes nothing. */
  onlyLooks = false;
  private opened: Database | null = null;
  private closed = false;

  constructor(
    readonly server: PostgresOptions,
    readonly settings: AdapterSettings,
  ) {}

  /** Throws StorageError before it is open, and once it is closed. */
  readonly database = (): Database => {
    if (this.opened === null) {
      throw new StorageError(
        this.closed ? 'The storage is closed.' : 'The storage is not open yet: call init() first.',
      );
    }
    return this.opened;
  };

  /** Connects, and makes sure of the tables. Throws StorageError, TestTablesError. */
  async open(failing?: (error: unknown, retryInMs: number) => void): Promise<void> {
    const database = await connect(this.server, this.settings, failing);
    try {
      await refuseEncoding(database);
      await this.prepare(database, failing);
    } catch (error) {
      await database.close().catch(() => undefined);
      throw error;
    }
    database.onFailover = () => this.onFailover();
    this.opened = database;
    this.closed = false;
  }

  /** Waits for whoever has locked the tables, as for a server that cannot be reached. */
  private async prepare(
    database: Database,
    failing?: (error: unknown, retryInMs: number) => void,
  ): Promise<void> {
    const { tables, migrate, clock, connectTimeoutMs } = this.settings;
    const giveUpAt = clock.monotonic() + connectTimeoutMs;
    for (;;) {
      try {
        await prepareSchema(database, this.settings, failing, this.onlyLooks);
        if (migrate === 'off' || this.onlyLooks) return;
        const [{ now }] = await database.run<{ now: number }>(readTimeSql());
        // Before anything is written for today; where the rights are missing, the ledger does without.
        await new LedgerDays(tables).create(database, now);
        return;
      } catch (error) {
        if (!(error instanceof StorageBusyError) || clock.monotonic() >= giveUpAt) throw error;
        failing?.(error, retryInMs);
        await new Promise<void>((resolve) => clock.setTimer(retryInMs, resolve));
      }
    }
  }

  async close(): Promise<void> {
    const database = this.opened;
    this.opened = null;
    this.closed = true;
    await database?.close();
  }
}
