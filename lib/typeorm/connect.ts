import { DataSource } from 'typeorm';
import { StorageError } from '../model/errors.js';
import { describeServer, poolOptions } from './connection.settings.js';
import { Database, messageOf, sqlStateOf } from './database.js';
import { PreparedStatements } from './prepared.statements.js';
import type { AdapterSettings, PostgresOptions } from './typeorm.options.js';

const longestDelayMs = 2_000;

/**
 * Opens the pool. While the server cannot be reached it tries again, for `connectTimeoutMs`; what waiting does not mend (a
 * wrong password, a missing database) fails at once. Tells `failing` before each further try. Throws StorageError, which names the server but never a password.
 */
export async function connect(
  server: PostgresOptions,
  settings: AdapterSettings,
  failing?: (error: unknown, retryInMs: number) => void,
): Promise<Database> {
  const { clock, connectTimeoutMs } = settings;
  const giveUpAt = clock.monotonic() + connectTimeoutMs;
  let serverDeadline = true;
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(server, settings, serverDeadline);
    } catch (cause) {
      if (cause instanceof StorageError) throw cause;
      if (serverDeadline && isRefusedSetting(cause)) {
        serverDeadline = false;
        continue;
      }
      const delayMs = Math.min(100 * 2 ** (attempt - 1), longestDelayMs);
      if (!isWorthWaiting(cause)) {
        throw new StorageError(
          `PostgreSQL at ${describeServer(server)} refuses the connection: ${messageOf(cause)}.`,
          { cause },
        );
      }
      if (clock.monotonic() + delayMs >= giveUpAt) {
        throw new StorageError(
          `PostgreSQL at ${describeServer(server)} cannot be reached: ${messageOf(cause)}. Tried ${attempt} times in ${connectTimeoutMs} ms (connectTimeoutMs). Is the server running, and are host and port right?`,
          { cause },
        );
      }
      failing?.(cause, delayMs);
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
    }
  }
}

async function open(
  server: PostgresOptions,
  settings: AdapterSettings,
  serverDeadline: boolean,
): Promise<Database> {
  const { poolSize, statementTimeoutMs, databaseClock, clock } = settings;
  const source = newDataSource(poolOptions(server, { poolSize, statementTimeoutMs, serverDeadline }));
  try {
    await source.initialize();
  } catch (error) {
    // A pool whose first statement failed is open nevertheless.
    await (source.driver as { disconnect(): Promise<void> }).disconnect().catch(() => undefined);
    throw error;
  }
  const prepared = new PreparedStatements(settings.preparedStatements, () => clock.monotonic());
  return new Database(source, statementTimeoutMs, databaseClock, prepared);
}

function newDataSource(options: PostgresOptions): DataSource {
  try {
    return new DataSource(options);
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'DriverPackageNotInstalledError') {
      throw new StorageError('The PostgreSQL driver is not installed: npm install pg', { cause });
    }
    throw cause;
  }
}

/** PgBouncer refuses connection settings that it does not know, `statement_timeout` among them. */
function isRefusedSetting(error: unknown): boolean {
  return /unsupported startup parameter/i.test(messageOf(error));
}

/** Network errors, and a server that starts, stops or is full. */
function isWorthWaiting(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === null || state.startsWith('08') || state.startsWith('57P') || state.startsWith('53');
}
