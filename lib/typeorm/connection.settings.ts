import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../model/errors.js';
import { withSessionSettings } from './session.settings.js';
import { encodedUrl, type PostgresOptions } from './typeorm.options.js';

/** The settings that reach the server an application's DataSource uses, and nothing else of it: no entities, no sync, no drops. */
export function settingsOf(dataSource: DataSource): PostgresOptions {
  const options = (dataSource as Partial<DataSource> | null)?.options;
  if (typeof options?.type !== 'string') {
    throw new InvalidOptionError(
      'dataSource',
      'is no DataSource of TypeORM. Settings of a connection are given as options.',
    );
  }
  if (options.type !== 'postgres') {
    throw new InvalidOptionError(
      'dataSource',
      `is of type "${options.type}"; Chronis needs one of type "postgres".`,
    );
  }
  const { replication, driver, applicationName, extra } = options;
  const { url, host, port, username, password, database, ssl } = replication?.master ?? options;
  return {
    type: 'postgres',
    url,
    host,
    port,
    username,
    password,
    database,
    ssl,
    driver,
    applicationName,
    extra,
  };
}

/** What the pool of Chronis adds to the settings. */
export interface PoolNeeds {
  poolSize: number;
  statementTimeoutMs: number;
  startup: StartupSettings;
}

/** What the server is told at connection start; a pooler may refuse it. */
export interface StartupSettings {
  /** `statement_timeout`, a parameter of its own. */
  deadline: boolean;
  /** All others, in the parameter `options`. */
  options: boolean;
}

/** How long a host that does not answer is taken for alive: so many ms of silence, and then ten probes, one each second. */
const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/** Everything a TypeORM DataSource needs to open the pool. */
export function poolOptions(server: PostgresOptions, needs: PoolNeeds): PostgresOptions {
  const { statementTimeoutMs, startup } = needs;
  const {
    statement_timeout: _,
    query_timeout: __,
    options: ___,
    ...extra
  } = (server.extra ?? {}) as Record<string, unknown>;
  const { url, options } = startupOptions(server, startup);
  return {
    ...server,
    ...(url === undefined ? {} : { url }),
    applicationName: server.applicationName ?? 'chronis',
    entities: [],
    migrations: [],
    subscribers: [],
    synchronize: false,
    migrationsRun: false,
    dropSchema: false,
    installExtensions: false,
    logging: false,
    // A lost idle connection is no news: the next statement opens another.
    poolErrorHandler: () => undefined,
    extra: {
      ...extra,
      // One more for what is urgent, see Database.
      max: needs.poolSize + 1,
      ...keepAlive,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: statementTimeoutMs,
      // Also of what TypeORM asks by itself.
      query_timeout: statementTimeoutMs + 500,
      ...(startup.deadline ? { statement_timeout: statementTimeoutMs } : {}),
      options,
    },
  };
}

/** The parameter `options` with ours after those that are given, and the URL without them: there they would come before all others. */
function startupOptions(
  { url, extra }: PostgresOptions,
  startup: StartupSettings,
): { url: string | undefined; options: string | undefined } {
  const without: { url?: string; options?: string } =
    url === undefined ? {} : withoutOptions(encodedUrl(url));
  const given =
    without.options ?? (extra as { options?: string } | undefined)?.options ?? process.env.PGOPTIONS;
  return { url: without.url, options: startup.options ? withSessionSettings(given) : given };
}

/** By hand: pg takes URLs that `new URL` does not, such as one without a host before `?host=/var/run/postgresql`. */
function withoutOptions(url: string): { url: string; options?: string } {
  const start = url.indexOf('?');
  if (start < 0) return { url };
  const query = new URLSearchParams(url.slice(start + 1));
  const options = query.get('options');
  if (options === null) return { url };
  query.delete('options');
  const rest = query.toString();
  return { url: url.slice(0, start) + (rest && `?${rest}`), options };
}

/** What `pg.Client` needs for a connection of its own to the same server. */
export function clientSettings(
  server: PostgresOptions,
  timeoutMs: number,
  startup: StartupSettings,
): Record<string, unknown> {
  const { url, options } = startupOptions(server, startup);
  return {
    connectionString: url,
    host: server.host,
    port: server.port,
    user: server.username,
    password: server.password,
    database: server.database,
    ssl: server.ssl,
    application_name: server.applicationName ?? 'chronis',
    ...server.extra,
    options,
    statement_timeout: undefined,
    ...keepAlive,
    connectionTimeoutMillis: timeoutMs,
  };
}

/** `host:port/database` for messages; never user or password. */
export function describeServer(server: PostgresOptions): string {
  let { host, port, database } = server;
  if (server.url !== undefined) {
    try {
      const url = new URL(server.url);
      host = url.searchParams.get('host') ?? (decodeURIComponent(url.hostname) || host);
      port = Number(url.port) || port;
      database = decodeURIComponent(url.pathname.slice(1)) || database;
    } catch {
      return 'the given url (which is not a valid URL)';
    }
  }
  const name = database ?? process.env.PGDATABASE;
  const place = `${host ?? process.env.PGHOST ?? 'localhost'}:${port ?? process.env.PGPORT ?? 5432}`;
  return name === undefined ? place : `${place}/${name}`;
}
