import { DataSource } from 'typeorm';
import { StorageError } from '../model/errors.js';
import { describeServer, poolOptions, type StartupSettings } from './connection.settings.js';
import { Database } from './database.js';
import { roomForConnections } from './connection.limits.js';
import { messageOf, sqlStateOf } from './sql.errors.js';
import { Examination, ReadOnlyServerError } from './examination.js';
import { PreparedStatements } from './prepared.statements.js';
import { assertUsable } from './self.test.js';
import { Sockets, type ClientClass, type Connected } from './sockets.js';
import type { AdapterSettings, PostgresOptions } from './typeorm.options.js';

const longestDelayMs = 2_000;
/** Each try has so long at least: a server that is far away takes its time. */
const shortestTryMs = 2_000;

/**
 * Opens the pool. While the server cannot be reached, or takes no changes, it tries again, for `connectTimeoutMs`; what waiting does not mend (a
 * wrong password, a missing database, settings under which the statements do not work) fails at once. Tells `failing` before each further try. Throws StorageError, which names the server but never a password.
 */
export async function connect(
  server: PostgresOptions,
  settings: AdapterSettings,
  failing?: (error: unknown, retryInMs: number) => void,
): Promise<Database> {
  const { clock, connectTimeoutMs } = settings;
  const since = clock.monotonic();
  const giveUpAt = since + connectTimeoutMs;
  let startup: StartupSettings = { deadline: true, options: true };
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(server, settings, startup, giveUpAt - clock.monotonic());
    } catch (cause) {
      const isReadOnly = cause instanceof ReadOnlyServerError;
      if (cause instanceof StorageError && !isReadOnly) throw cause;
      const accepted = withoutRefused(startup, cause);
      if (accepted !== null) {
        startup = accepted;
        continue;
      }
      if (!isReadOnly && !isWorthWaiting(cause)) {
        throw new StorageError(
          `PostgreSQL at ${describeServer(server)} refuses the connection: ${messageOf(cause)}.`,
          { cause },
        );
      }
      const leftMs = giveUpAt - clock.monotonic();
      if (leftMs <= 0) {
        if (isReadOnly) throw cause;
        const room = roomForConnections(cause);
        const what = room === null ? 'cannot be reached' : 'has no connection left';
        const tookMs = Math.round(clock.monotonic() - since);
        const tries = `Tried ${attempt} ${attempt === 1 ? 'time' : 'times'} in ${tookMs} ms (connectTimeoutMs: ${connectTimeoutMs}).`;
        throw new StorageError(
          `PostgreSQL at ${describeServer(server)} ${what}: ${messageOf(cause)}. ${tries} ${room ?? 'Is the server running, and are host and port right?'}`,
          { cause },
        );
      }
      const delayMs = Math.min(100 * 2 ** (attempt - 1), longestDelayMs, leftMs);
      failing?.(cause, delayMs);
      await new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
    }
  }
}

/** A server that says nothing is waited for no longer than `limitMs`, also where a statement may take longer. */
async function open(
  server: PostgresOptions,
  settings: AdapterSettings,
  startup: StartupSettings,
  limitMs: number,
): Promise<Database> {
  const { poolSize, statementTimeoutMs, databaseClock, clock } = settings;
  const driver = (server.driver as Driver | undefined) ?? installedDriver();
  const options = poolOptions({ ...server, driver }, { poolSize, statementTimeoutMs, startup });
  const source = new DataSource(options);
  const sockets = new Sockets();
  Object.assign(options.extra as object, { Client: sockets.of(driver.Client) });
  let isOver = false;
  const cancelLimit = clock.setTimer(Math.max(limitMs, shortestTryMs), () => {
    isOver = true;
    sockets.destroyAll();
  });
  try {
    await source.initialize();
  } catch (error) {
    // A pool whose first statement failed is open nevertheless.
    await (source.driver as { disconnect(): Promise<void> }).disconnect().catch(() => undefined);
    sockets.destroyAll();
    throw isOver ? new Error('it does not answer', { cause: error }) : error;
  } finally {
    cancelLimit();
  }
  const prepared = new PreparedStatements(settings.preparedStatements, () => clock.monotonic());
  const place = describeServer(server);
  const database = new Database(
    source,
    sockets,
    new Examination(place),
    { poolSize, deadlineMs: statementTimeoutMs, startup },
    databaseClock,
    prepared,
  );
  try {
    await assertUsable(database, place);
  } catch (error) {
    await database.close();
    // What went wrong on the way is judged like a failed connection.
    throw error instanceof ReadOnlyServerError ? error : ((error as Error).cause ?? error);
  }
  return database;
}

export interface Driver {
  Client: ClientClass<Connected>;
}

/** For TypeORM too, whose own look-up by a name that it computes finds nothing in an application that is bundled. */
export function installedDriver(): Driver {
  try {
    return require('pg') as Driver;
  } catch (cause) {
    throw new StorageError('The PostgreSQL driver is not installed: npm install pg', { cause });
  }
}

/** What else may be told at connection start when this was refused; null: it was not about that. Poolers refuse what they do not know. */
export function withoutRefused(startup: StartupSettings, error: unknown): StartupSettings | null {
  const { deadline, options } = startup;
  const message = messageOf(error);
  const isRefused = /unsupported startup parameter|command-line options/i.test(message);
  if (!isRefused || (!deadline && !options)) return null;
  const aboutOptions = options && !message.includes('statement_timeout');
  return { deadline: deadline && aboutOptions, options: false };
}

/** Network errors, and a server that starts, stops or is full. */
function isWorthWaiting(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === null || state.startsWith('08') || state.startsWith('57P') || state.startsWith('53');
}
