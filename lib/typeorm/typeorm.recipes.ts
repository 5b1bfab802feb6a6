import type { DataSource } from 'typeorm';
import { InvalidOptionError } from '../model/errors.js';
import type { AdapterRecipe, InjectionToken } from '../ports/adapter.recipe.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import { StorageAdapter } from '../ports/storage.adapter.js';
import { described } from '../triggers/refuse.js';
import { AdapterConnection } from './adapter.connection.js';
import { clientSettings, describeServer, settingsOf } from './connection.settings.js';
import { NotifyConnection } from './notify.connection.js';
import { whyUnheard, type Asked } from './server.place.js';
import { tellEventsSql } from './sql/tell.events.sql.js';
import {
  adapterSettings,
  isUrl,
  type PostgresOptions,
  type TypeOrmAdapterOptions,
  type TypeOrmServer,
  type TypeOrmStorageOptions,
} from './typeorm.options.js';
import { TypeOrmLock } from './typeorm.lock.js';
import { TypeOrmStorage } from './typeorm.storage.js';

/**
 * Jobs in PostgreSQL, for `ChronisModule.forRoot({ storage })`. Options are checked when the application boots.
 *
 * @example
 * typeOrmStorage({ url: 'postgres://localhost/app' })
 * typeOrmStorage({ dataSource: getDataSourceToken() })
 * @publicApi
 */
export function typeOrmStorage(
  options: TypeOrmStorageOptions & TypeOrmServer,
): AdapterRecipe<StorageAdapter> {
  assertOptions(options, 'typeOrmStorage()');
  return {
    inject: tokensOf(options),
    create: (injected?: DataSource) => newStorage(options, injected),
  };
}

/**
 * Locks in PostgreSQL, for `ChronisModule.forRoot({ lock })`. Without options they are in the tables of the module's own
 * `typeOrmStorage()`; with options in any other database.
 * @publicApi
 */
export function typeOrmLock(options?: TypeOrmAdapterOptions & TypeOrmServer): AdapterRecipe<LockAdapter> {
  if (options === undefined) return { inject: [StorageAdapter], create: lockOfStorage };
  assertOptions(options, 'typeOrmLock()');
  return {
    inject: tokensOf(options),
    create: (injected?: DataSource) => newLock(options, serverOf(options, injected)),
  };
}

function newStorage(options: TypeOrmStorageOptions, injected: DataSource | undefined): TypeOrmStorage {
  const server = serverOf(options, injected);
  const application = injected ?? (isToken(options.dataSource) ? undefined : options.dataSource) ?? null;
  const { listenUrl } = options;
  const settings = adapterSettings(options, true);
  const connection = new AdapterConnection(server, settings);
  if (settings.tables.channel === null) return new TypeOrmStorage(connection, null, application);
  const listenServer = listenUrl === undefined ? server : { ...server, url: listenUrl };
  const newClient = () => {
    const database = connection.database();
    return database.newClient<never>(
      clientSettings(listenServer, settings.statementTimeoutMs, database.startup),
    );
  };
  const tables: Asked = {
    address: describeServer(server),
    rows: (text) => connection.database().plain(text),
  };
  const listening = new NotifyConnection(newClient, settings.clock, settings.statementTimeoutMs, {
    tell: (channel) => connection.database().run(tellEventsSql(), [channel, ['']]),
    whyUnheard: (rows) => whyUnheard({ address: describeServer(listenServer), rows }, tables),
  });
  connection.onFailover = () => listening.check();
  return new TypeOrmStorage(connection, listening, application);
}

function newLock(options: TypeOrmAdapterOptions, server: PostgresOptions): TypeOrmLock {
  const connection = new AdapterConnection(server, adapterSettings(options, false));
  return new TypeOrmLock(connection.settings.tables, {
    database: connection.database,
    init: () => connection.open(),
    close: () => connection.close(),
  });
}

function lockOfStorage(storage: StorageAdapter): LockAdapter {
  if (storage instanceof TypeOrmStorage) return storage.lock;
  throw new InvalidOptionError(
    'lock',
    `typeOrmLock() without options is the lock of typeOrmStorage(), but the storage is "${storage.kind}". Leave the option out, or name a database: typeOrmLock({ url }).`,
  );
}

/** The rest is checked at boot, but not to say at all which database it is ends here. */
function assertOptions(options: unknown, owner: string): void {
  if (typeof options === 'object' && options !== null) return;
  throw new InvalidOptionError(
    'options',
    `${owner} takes an object that names the database, { url } or { dataSource }, but was given ${described(options)}.`,
  );
}

/** What the injector has to look up: the application's DataSource, when it is given by its token and nothing else names the server, which is refused. */
function tokensOf({ dataSource, url, options }: TypeOrmAdapterOptions): InjectionToken[] {
  const isAlone = url === undefined && options === undefined;
  return isToken(dataSource) && isAlone && !isUrl(dataSource) ? [dataSource] : [];
}

/** Throws InvalidOptionError: a token that nobody has resolved. */
export function serverOf(options: TypeOrmAdapterOptions, injected: DataSource | undefined): PostgresOptions {
  const dataSource = injected === undefined ? options.dataSource : injected;
  if (dataSource === undefined)
    return { ...options.options, type: 'postgres', ...(options.url ? { url: options.url } : {}) };
  if (isToken(dataSource)) {
    // It is not looked up where something else names the server too, which this refuses.
    adapterSettings(options, false);
    throw new InvalidOptionError(
      'dataSource',
      'is a token that nobody has resolved: give create() what it stands for.',
    );
  }
  return settingsOf(dataSource);
}

function isToken(dataSource: TypeOrmAdapterOptions['dataSource']): dataSource is InjectionToken {
  return ['string', 'symbol', 'function'].includes(typeof dataSource);
}
