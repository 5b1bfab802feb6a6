import type { DataSource, DataSourceOptions, EntityManager } from 'typeorm';
import { InvalidOptionError } from '../model/errors.js';
import type { InjectionToken } from '../ports/adapter.recipe.js';
import type { DurationInput } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import { SystemClock } from '../ports/system.clock.js';
import { parseDuration } from '../triggers/duration.js';
import { described, shown } from '../triggers/refuse.js';
import { refuseUnknown } from '../model/unknown.options.js';
import { tableNames, type TableNames } from './sql/table.names.js';

declare module '../ports/run.transaction.js' {
  interface TransactionTypes {
    manager: EntityManager;
    dataSource: DataSource;
  }
}

/** Settings of a PostgreSQL connection as TypeORM takes them. @publicApi */
export type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/**
 * `auto`: brings the tables up to date at start · `check`: refuses to start when they are not · `off`: trusts. @publicApi
 */
export type MigrationMode = 'auto' | 'check' | 'off';

/** Where the tables are. @publicApi */
export interface TableOptions {
  /** PostgreSQL schema; created if need be. @default 'chronis' */
  schema?: string;
  /** Put before each table's name. @default '' */
  tablePrefix?: string;
}

/**
 * Which PostgreSQL, and how to use it. Exactly one of `url`, `dataSource` and `options` names the server.
 * @publicApi
 */
export interface TypeOrmAdapterOptions extends TableOptions {
  /** Such as `postgres://user:password@host:5432/database`. */
  url?: string;
  /**
   * The application's DataSource, or its injection token: `getDataSourceToken()`. Chronis takes its settings and opens a small pool of its
   * own, so that an application that has used up its pool does not stop the jobs; only `ctx.transaction()` uses the DataSource itself.
   */
  dataSource?: DataSource | InjectionToken;
  /** Connection settings as TypeORM takes them, for what does not fit into a URL. */
  options?: Omit<PostgresOptions, 'type'>;
  /** @default 'auto' */
  migrate?: MigrationMode;
  /** Connections for statements, of which calls of the application leave two to the loop, or one where it is less than 4; at least 2. The wake signal needs one more, and so does the renewal of the lease while all of these are taken. @default 4 */
  poolSize?: number;
  /**
   * Deadline of each statement, kept by the client and, without a pooler, by the server too. The server lets a transaction be without a statement for three times
   * as long, one of `ctx.transaction()` for sixty times, and then ends it with its locks.
   * @default 10_000
   */
  statementTimeoutMs?: DurationInput;
  /** How long to try at start while the server cannot be reached, or takes no changes. @default 30_000 */
  connectTimeoutMs?: DurationInput;
  /**
   * Have the server keep statements prepared on its connections, which saves their planning. Behind a pooler that does not follow prepared
   * statements it turns itself off at the first failure. @default true
   */
  preparedStatements?: boolean;
  /** Stands in for the database's clock, and for all timers: for tests. @default the database's own */
  clock?: Clock;
}

/**
 * The server, by exactly one of these. A `url` may be undefined for the compiler, as variables of the environment are; it is refused at boot.
 * @publicApi
 */
export type TypeOrmServer =
  | { url: string | undefined; dataSource?: undefined; options?: undefined }
  | { url?: undefined; dataSource: DataSource | InjectionToken; options?: undefined }
  | { url?: undefined; dataSource?: undefined; options: Omit<PostgresOptions, 'type'> };

/** Options of `typeOrmStorage()`. @publicApi */
export interface TypeOrmStorageOptions extends TypeOrmAdapterOptions {
  /** Tell other processes at once what is due, by LISTEN and NOTIFY; without it they poll. @default true */
  notify?: boolean;
  /**
   * Tell others also of what is done in the caller's own transactions (`{ manager }`). PostgreSQL has transactions that notify commit one after another.
   * @default false: the process that made the call looks again shortly after, the others poll
   */
  notifyInTransactions?: boolean;
  /** Where to LISTEN when the other connection goes through a pooler such as PgBouncer, which cannot. @default as for all else */
  listenUrl?: string;
}

/** `typeOrmLock()` is given those of the storage as well, and leaves out what is about notifications. */
const known: Record<keyof TypeOrmStorageOptions, true> = {
  url: true,
  dataSource: true,
  options: true,
  schema: true,
  tablePrefix: true,
  migrate: true,
  poolSize: true,
  statementTimeoutMs: true,
  connectTimeoutMs: true,
  preparedStatements: true,
  clock: true,
  notify: true,
  notifyInTransactions: true,
  listenUrl: true,
};

/** Options with the defaults filled in. */
export interface AdapterSettings {
  tables: TableNames;
  /** Whether statements in transactions of callers notify. */
  notifyInTransactions: boolean;
  migrate: MigrationMode;
  poolSize: number;
  statementTimeoutMs: number;
  connectTimeoutMs: number;
  preparedStatements: boolean;
  /** For timers. */
  clock: Clock;
  /** In place of the database's clock; null: the database's own. */
  databaseClock: Clock | null;
}

/** `notifies`: what it is made for tells others, unless the options say otherwise. Throws InvalidOptionError. */
export function adapterSettings(given: TypeOrmStorageOptions, notifies: boolean): AdapterSettings {
  refuseUnknown('The storage or lock in PostgreSQL', given, Object.keys(known));
  const named = (['url', 'dataSource', 'options'] as const).filter((source) => given[source] !== undefined);
  if (named.length !== 1) {
    const found =
      named.length === 0
        ? 'but there is none. A url from an environment variable that is not set is undefined.'
        : `but there are ${named.join(' and ')}.`;
    throw new InvalidOptionError('storage', `give exactly one of url, dataSource and options, ${found}`);
  }
  if (isUrl(given.dataSource)) throw new InvalidOptionError('dataSource', 'is a URL. Give it as url.');
  if (given.options !== undefined && (typeof given.options !== 'object' || given.options === null)) {
    const problem = `takes an object, but was given ${described(given.options)}. A URL is given as url.`;
    throw new InvalidOptionError('options', problem);
  }
  // The types do not have it, but settings of an application are passed on as they are.
  const { type = 'postgres', url } = (given.options ?? {}) as { type?: string; url?: unknown };
  assertUrl('url', given.url);
  assertUrl('options.url', url);
  assertUrl('listenUrl', given.listenUrl);
  if (type !== 'postgres') {
    throw new InvalidOptionError('options', `are of type "${type}"; Chronis needs those of type "postgres".`);
  }
  const { migrate = 'auto' } = given;
  if (!['auto', 'check', 'off'].includes(migrate)) {
    throw new InvalidOptionError('migrate', `"${shown(migrate)}" is none of 'auto', 'check' and 'off'.`);
  }
  const notify = trueOrFalse('notify', given.notify, true) && notifies;
  return {
    tables: tableNames(given.schema ?? 'chronis', given.tablePrefix ?? '', notify),
    notifyInTransactions: trueOrFalse('notifyInTransactions', given.notifyInTransactions, false),
    migrate,
    poolSize: atLeastTwo(given.poolSize ?? 4),
    statementTimeoutMs: deadline('statementTimeoutMs', given.statementTimeoutMs ?? 10_000),
    connectTimeoutMs: deadline('connectTimeoutMs', given.connectTimeoutMs ?? 30_000),
    preparedStatements: trueOrFalse('preparedStatements', given.preparedStatements, true),
    clock: given.clock ?? new SystemClock(),
    databaseClock: given.clock ?? null,
  };
}

function deadline(option: string, given: DurationInput): number {
  try {
    return parseDuration(given, option);
  } catch (error) {
    const { message } = error as Error;
    throw new InvalidOptionError(option, message.slice(option.length + 2));
  }
}

function atLeastTwo(poolSize: number): number {
  if (poolSize === 1) {
    throw new InvalidOptionError(
      'poolSize',
      '1 leaves the jobs no connection while a call of the application waits, as for a row that somebody has locked. Give at least 2, or leave it out for 4.',
    );
  }
  if (Number.isSafeInteger(poolSize) && poolSize > 1) return poolSize;
  throw new InvalidOptionError(
    'poolSize',
    `must be a whole number of at least 2, but is ${described(poolSize)}.`,
  );
}

function trueOrFalse(option: string, given: unknown, byDefault: boolean): boolean {
  const value = given ?? byDefault;
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(option, `must be true or false, but is ${described(value)}.`);
}

/** Whether it is a text such as `postgres://…`, which no injection token is. */
export function isUrl(given: unknown): boolean {
  return typeof given === 'string' && /^\w+:\/\//.test(given);
}

/** A password in which one of `/ ? #` comes first, or after digits: what is before that looks like a host and a port. A parameter may hold an `@`. */
const isCutShort = /^\w+:\/\/[^@/?#]*:\d*(#.*@|\/[^?]*@|[/?][^=]*@)/s;

function hasDecodableUser(url: string): boolean {
  try {
    decodeURIComponent(/^\w+:\/\/([^@/?#]*)@/.exec(encodedUrl(url))?.[1] ?? '');
    return true;
  } catch {
    return false;
  }
}

/** What means itself is encoded: where it is not, pg and TypeORM each read something else. */
export function encodedUrl(url: string): string {
  return url.replaceAll(/%(?![\da-f]{2})/gi, '%25').replaceAll(' ', '%20');
}

/** Refuses at once what would be tried until `connectTimeoutMs` as if the server were away. More is read than what a URL may be: blanks, a `%`, and no host at all. */
function assertUrl(option: string, given: unknown): void {
  if (given === undefined) return;
  if (typeof given !== 'string' || !/^postgres(ql)?:\/\//.test(given)) {
    throw new InvalidOptionError(option, 'must begin with postgres:// or postgresql://.');
  }
  const canBeRead = URL.canParse(given) || URL.canParse(given.replace('@/', '@host/'));
  if (canBeRead && !isCutShort.test(given) && hasDecodableUser(given)) return;
  throw new InvalidOptionError(
    option,
    'cannot be read. In the user and the password characters such as # / ? % have to be percent-encoded: encodeURIComponent(password). The port is a number.',
  );
}
