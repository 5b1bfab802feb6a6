import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../model/errors.js';
import { withSessionSettings } from './session.settings.js';
import type { PostgresOptions } from './typeorm.options.js';

/** The settings that reach the server an application's DataSource uses, and nothing else of it: no entities, no sync, no drops. */
export function settingsOf(dataSource: DataSource): PostgresOptions {
  const { options } = dataSource;
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
    options,
    ...extra
  } = (server.extra ?? {}) as Record<string, unknown>;
  const { url, urlOptions } = withoutOptions(server.url);
  const given = urlOptions ?? (options as string | undefined) ?? process.env.PGOPTIONS;
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
      max: needs.poolSize,
      ...keepAlive,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: statementTimeoutMs,
      // Also of what TypeORM asks by itself.
      query_timeout: statementTimeoutMs + 500,
      ...(startup.deadline ? { statement_timeout: statementTimeoutMs } : {}),
      options: startup.options ? withSessionSettings(given) : given,
    },
  };
}

/** Those of a URL would come before all others. */
function withoutOptions(url: string | undefined): { url?: string; urlOptions?: string } {
  if (url === undefined || !url.includes('options=')) return { url };
  try {
    const parsed = new URL(url);
    const urlOptions = parsed.searchParams.get('options');
    if (urlOptions === null) return { url };
    parsed.searchParams.delete('options');
    return { url: parsed.href, urlOptions };
  } catch {
    // pg will say what is wrong with it.
    return { url };
  }
}

/** What `pg.Client` needs for a connection of its own to the same server. */
export function clientSettings(server: PostgresOptions, timeoutMs: number): Record<string, unknown> {
  return {
    connectionString: server.url,
    host: server.host,
    port: server.port,
    user: server.username,
    password: server.password,
    database: server.database,
    ssl: server.ssl,
    application_name: server.applicationName ?? 'chronis',
    ...server.extra,
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
