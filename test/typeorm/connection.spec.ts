import Module, { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { Module as NestModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  InvalidOptionError,
  SchedulerService,
  StorageError,
  type StorageAdapter,
} from '../../lib/index.js';
import { settingsOf } from '../../lib/chronis.settings.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { refusingPooler } from '../support/refusing.pooler.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const client = new pg.Client(databaseUrl());
const schema = freshSchema('connection');
const closing: (() => unknown)[] = [];

beforeAll(() => client.connect());

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

afterAll(async () => {
  await client.query(`drop schema if exists "${schema}" cascade`);
  await client.end();
});

async function opened(storage: StorageAdapter, failing?: () => void): Promise<StorageAdapter> {
  closing.unshift(() => storage.close());
  await storage.init(failing);
  return storage;
}

async function refusal(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('It should have been refused.'),
    (error: unknown) => error as Error,
  );
}

describe('what names the server', () => {
  test('is a url', async () => {
    expect(await (await opened(newStorage({ schema }))).countJobs({})).toBe(0);
  });

  test('is settings as TypeORM takes them', async () => {
    const { hostname, port, username, pathname } = new URL(databaseUrl());
    const options = { host: hostname, port: Number(port), username, database: pathname.slice(1) };
    const storage = typeOrmStorage({ schema, options }).create() as StorageAdapter;
    expect(await (await opened(storage)).countJobs({})).toBe(0);
  });

  test('is the DataSource of the application, of which only the settings are used', async () => {
    const dataSource = new DataSource({
      type: 'postgres',
      url: databaseUrl(),
      poolSize: 1,
      extra: { options: '-c search_path=somewhere' },
      // Were this used, it would drop the tables.
      dropSchema: false,
      entities: [],
    });
    await dataSource.initialize();
    closing.push(() => dataSource.destroy());
    const storage = await opened(typeOrmStorage({ schema, dataSource }).create() as StorageAdapter);
    // The application has used up its pool.
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    expect(await storage.countJobs({})).toBe(0);
    await runner.release();
    await storage.close();
    expect(dataSource.isInitialized).toBe(true);
  });

  test('is a DataSource with replicas, of which the primary is used, also for transactions of handlers', async () => {
    const replica = new URL(databaseUrl());
    replica.searchParams.set('options', '-c default_transaction_read_only=on');
    const dataSource = new DataSource({
      type: 'postgres',
      replication: { master: { url: databaseUrl() }, slaves: [{ url: replica.href }] },
    });
    await dataSource.initialize();
    closing.unshift(() => dataSource.destroy());
    const reader = dataSource.createQueryRunner('slave');
    expect(await reader.query('show transaction_read_only')).toEqual([{ transaction_read_only: 'on' }]);
    await reader.release();
    @NestModule({ imports: [ChronisModule.forRoot({ storage: typeOrmStorage({ schema, dataSource }) })] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    closing.unshift(() => app.close());
    const scheduler = app.get(SchedulerService);
    const told: string[] = [];
    app.get(ChronisEvents).onAny((name) => told.push(name));
    scheduler.registerHandler('work', (context) =>
      context.transaction((manager) => manager.query('show transaction_read_only')),
    );
    const succeeded = app.get(ChronisEvents).once('run.succeeded');
    const job = { handler: 'work', runAt: new Date() };
    await dataSource.transaction((manager) =>
      scheduler.withTransaction(manager, () => scheduler.createDateJob({ id: 'on-primary', ...job })),
    );
    await succeeded;
    expect(told).not.toContain('wake.unavailable');
  });

  test.each([
    [
      {},
      'storage: give exactly one of url, dataSource and options, but there is none. A url from an environment variable that is not set is undefined.',
    ],
    [
      { url: 'postgres://h/d', options: {} },
      'storage: give exactly one of url, dataSource and options, but there are url and options.',
    ],
    [
      { url: 'postgres://h/d', shema: 'x' },
      'shema: The storage or lock in PostgreSQL has no such option. Did you mean "schema"?',
    ],
    [
      { options: { type: 'sqlite', database: 'app.db' } },
      'options: are of type "sqlite"; Chronis needs those of type "postgres".',
    ],
    [{ url: 'mysql://h/d' }, 'url: must begin with postgres:// or postgresql://.'],
    [{ url: 'postgres://u:a#b@h/d' }, 'url: cannot be read. In the user and the password characters such as'],
    [{ url: 'postgres://u:a/b@h/d' }, 'have to be percent-encoded: encodeURIComponent(password).'],
    [{ url: 'postgres://h:port/d' }, 'url: cannot be read.'],
    // What comes before the character looks like a host, and a port or none.
    [{ url: 'postgres://u:#b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:20#b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:/b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:20/b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:?b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:20?b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://u:20/a?b@h/d' }, 'have to be percent-encoded'],
    [{ url: 'postgres://h/d', listenUrl: 'postgres://u:20/b@h/d' }, 'listenUrl: cannot be read.'],
    [{ url: 'postgres://u:a%bc@h/d' }, 'have to be percent-encoded'],
    [{ options: { url: 'postgres://u:a#b@h/d' } }, 'options.url: cannot be read.'],
    [{ options: 'postgres://h/d' }, "options: takes an object, but was given 'postgres://h/d'."],
    [{ url: 'postgres://h/d', listenUrl: 'h' }, 'listenUrl: must begin with postgres:// or postgresql://.'],
    [{ dataSource: 'postgres://u:secret@h/d' }, 'dataSource: is a URL. Give it as url.'],
    [{ url: 'postgres://h/d', notify: 'false' }, "notify: must be true or false, but is 'false'."],
    [{ url: 'postgres://h/d', notifyInTransactions: 1 }, 'notifyInTransactions: must be true or false'],
    [{ url: 'postgres://h/d', preparedStatements: 'no' }, 'preparedStatements: must be true or false'],
    [{ url: 'postgres://h/d', poolSize: '4' }, "poolSize: must be a whole number of at least 2, but is '4'."],
    [
      { url: 'postgres://h/d', schema: 'postgres://u:secret@h/d' },
      'schema: "postgres://u:***@h/d" cannot be used',
    ],
    [{ url: 'postgres://h/d', migrate: 'postgres://u:secret@h/d' }, 'migrate: "postgres://u:***@h/d"'],
    [
      { url: 'postgres://h/d', migrate: 'sometimes' },
      `migrate: "sometimes" is none of 'auto', 'check' and 'off'.`,
    ],
    [{ url: 'postgres://h/d', poolSize: 0 }, 'poolSize: must be a whole number of at least 2, but is 0.'],
    [{ url: 'postgres://h/d', poolSize: 1 }, 'poolSize: 1 leaves the jobs no connection while a call'],
    [
      { url: 'postgres://h/d', statementTimeoutMs: Number.NaN },
      'statementTimeoutMs: NaN is not a finite number',
    ],
    [{ url: 'postgres://h/d', connectTimeoutMs: 1.5 }, 'connectTimeoutMs: 1.5 is not a whole number'],
    [
      { url: 'postgres://h/d', statementTimeoutMs: '10' },
      'statementTimeoutMs: "10" is not a duration. Add a unit, such as "10ms" or "10s".',
    ],
  ])('is refused when the adapter is made from %j', (options, message) => {
    const recipe = typeOrmStorage(options as never);
    expect(() => recipe.create()).toThrow(InvalidOptionError);
    expect(() => recipe.create()).toThrow(message);
  });

  test.each([
    'postgres://h/d',
    'postgresql://u:p%23@h:1/d?sslmode=require',
    'postgres://u:p@/d?host=/var/run/postgresql',
    'postgres:///d',
    'postgres://u:a b@h/d',
    'postgres://u:50%@h/d',
    'postgres://h:1/d?user=u@server',
    'postgres://u:p@h:1/d@prod',
    'postgres://[::1]:1/d',
  ])('takes what pg can read: %s', (url) => {
    expect(() => typeOrmStorage({ url, listenUrl: url }).create()).not.toThrow();
  });

  test('is a url whose user has a blank and a % that encode nothing', async () => {
    const role = `${schema} 50%!`;
    await client.query(`create role "${role}" login superuser`);
    closing.push(async () => client.query(`drop owned by "${role}"; drop role "${role}"`));
    const url = databaseUrl().replace(/\/\/([^/@]*@)?/, `//${role}:5 0%@`);
    const stored = newStorage({ schema: freshSchema('blank'), url, listenUrl: url });
    expect(await (await opened(stored)).countJobs({})).toBe(0);
  });

  test('keeps its password out of the message where it is given in the wrong place', () => {
    const url = 'postgres://shop:se#cr@et@h/d' as never;
    expect(() => typeOrmStorage(url)).toThrow("but was given 'postgres://shop:***@h/d'.");
    expect(() => typeOrmLock(url)).toThrow("but was given 'postgres://shop:***@h/d'.");
    expect(() => ChronisModule.forRoot(url)).toThrow("but was given 'postgres://shop:***@h/d'.");
    const storage = { url, host: 'h', password: 'secret' } as never;
    expect(() => ChronisModule.forRoot(storage)).not.toThrow();
    expect(() => settingsOf({ storage })).toThrow(
      'but is {"url":"postgres://shop:***@h/d","host":"h","password":"***"}.',
    );
    expect(() => settingsOf({ storage: url })).toThrow("but is 'postgres://shop:***@h/d'.");
  });

  test('is refused when it is a DataSource of another kind', () => {
    const dataSource = { options: { type: 'mysql' } } as unknown as DataSource;
    expect(() => typeOrmStorage({ dataSource }).create()).toThrow(
      'dataSource: is of type "mysql"; Chronis needs one of type "postgres".',
    );
  });

  test.each([null, {}, { type: 'postgres', host: 'h' }, 5])(
    'is refused when it is no DataSource: %j',
    (dataSource) => {
      const message =
        'dataSource: is no DataSource of TypeORM. Settings of a connection are given as options.';
      expect(() => typeOrmStorage({ dataSource: dataSource as never }).create()).toThrow(message);
      expect(() => typeOrmStorage({ dataSource: 'token' }).create(dataSource as never)).toThrow(message);
      expect(() => typeOrmLock({ dataSource: dataSource as never }).create()).toThrow(message);
    },
  );

  test('is asked of the injector when it is a token', () => {
    expect(typeOrmStorage({ dataSource: 'reportsDataSource' }).inject).toEqual(['reportsDataSource']);
    expect(typeOrmStorage({ dataSource: DataSource }).inject).toEqual([DataSource]);
    expect(typeOrmStorage({ url: databaseUrl() }).inject).toEqual([]);
    const both = typeOrmStorage({ url: databaseUrl(), dataSource: 'reportsDataSource' } as never);
    expect(both.inject).toEqual([]);
    expect(() => both.create()).toThrow(
      'storage: give exactly one of url, dataSource and options, but there are url and dataSource.',
    );
  });
});

describe('a server that cannot be used', () => {
  test('is tried for a while, and named without the password when that is over', async () => {
    const port = await unusedPort();
    const url = `postgres://ada:sesame@127.0.0.1:${port}/app`;
    const error = await refusal(newStorage({ url, connectTimeoutMs: 400 }).init());
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain(`PostgreSQL at 127.0.0.1:${port}/app cannot be reached:`);
    expect(error.message).toMatch(
      /Tried [2-9] times in (4\d\d|[5-9]\d\d|\d{4}) ms \(connectTimeoutMs: 400\)\./,
    );
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(
      'sesame',
    );
  });

  test('accepts connections and says nothing: is not waited for until a statement would have its deadline', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    const begunAt = performance.now();
    const storage = newStorage({ url: localUrl(port), connectTimeoutMs: 400, statementTimeoutMs: 10_000 });
    const error = await refusal(storage.init());
    expect(performance.now() - begunAt).toBeLessThan(6_000);
    expect(error.message).toMatch(
      /cannot be reached: it does not answer\. Tried 1 time in 2\d{3} ms \(connectTimeoutMs: 400\)/,
    );
  });

  test('is waited for while it starts', async () => {
    const port = await unusedPort();
    let failures = 0;
    const storage = await opened(newStorage({ schema, url: localUrl(port) }), () => {
      if (failures++ === 0) void pooler([], port);
    });
    expect(await storage.countJobs({})).toBe(0);
    expect(failures).toBeGreaterThan(0);
  });

  test('is not waited for when waiting does not help', async () => {
    const url = new URL(databaseUrl());
    url.pathname = '/no_such_database';
    const error = await refusal(newStorage({ url: url.href, connectTimeoutMs: 60_000 }).init());
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toMatch(/refuses the connection: database "no_such_database" does not exist/);
  });

  test('has no driver', async () => {
    const nodes = Module as unknown as { _load: (name: string, ...others: unknown[]) => unknown };
    const load = nodes._load;
    nodes._load = (name, ...others) => {
      if (name === 'pg') throw new Error(`Cannot find module 'pg'`);
      return load(name, ...others);
    };
    try {
      const error = await refusal(newStorage({ schema }).init());
      expect(error).toBeInstanceOf(StorageError);
      expect(error.message).toBe('The PostgreSQL driver is not installed: npm install pg');
    } finally {
      nodes._load = load;
    }
  });

  test('has one that TypeORM does not find, as in a bundle', async () => {
    type Loader = { PlatformTools: { load: (name: string) => unknown } };
    const { PlatformTools } = createRequire(import.meta.url)('typeorm/platform/PlatformTools.js') as Loader;
    const { load } = PlatformTools;
    PlatformTools.load = (name) => {
      throw new Error(`Cannot find module '${name}'`);
    };
    try {
      const storage = await opened(newStorage({ schema }));
      expect(await storage.countJobs({})).toBe(0);
    } finally {
      PlatformTools.load = load;
    }
  });
});

describe('a pooler', () => {
  test.each([
    [['statement_timeout', 'options'], 1],
    [['statement_timeout'], 1],
    [['options'], 1],
  ])('that refuses %j at connection start is asked again without', async (settings, refusals) => {
    const { url, refused } = await pooler(settings);
    const storage = await opened(newStorage({ schema, url, notify: false }));
    expect(await storage.countJobs({})).toBe(0);
    expect(refused).toHaveLength(refusals);
  });
});

describe('an adapter', () => {
  test('rejects calls before it is opened and after it is closed', async () => {
    const storage = newStorage({ schema });
    await expect(storage.countJobs({})).rejects.toThrow('The storage is not open yet: call init() first.');
    await expect(storage.lock.inspect('key')).rejects.toThrow('not open yet');
    await storage.init();
    await storage.close();
    await storage.close();
    for (const call of [
      storage.countJobs({}),
      storage.now(),
      storage.lock.inspect('key'),
      storage.prune({ defaultMs: 1_000, byVerdict: {} }),
    ]) {
      await expect(call).rejects.toThrow('The storage is closed.');
    }
  });

  test('reads rows right where the application has changed the parsers of pg', async () => {
    const { types } = pg;
    const before = [20, 1184, 114, 701].map((oid) => [oid, types.getTypeParser(oid)] as const);
    for (const [oid] of before) types.setTypeParser(oid, () => 'changed' as never);
    try {
      const storage = await opened(newStorage({ schema }));
      const now = await storage.now();
      expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
    } finally {
      for (const [oid, parse] of before) types.setTypeParser(oid, parse as never);
    }
  });
});

describe('the lock', () => {
  test('without options is the one of the storage', async () => {
    const storage = await opened(newStorage({ schema }));
    expect(typeOrmLock().create(storage as never)).toBe(storage.lock);
  });

  test('without options is refused beside another storage', () => {
    expect(() => typeOrmLock().create({ kind: 'memory' } as never)).toThrow(
      /^lock: typeOrmLock\(\) without options is the lock of typeOrm/,
    );
  });

  test('with options has a connection of its own', async () => {
    const storage = await opened(newStorage({ schema }));
    const lock = await typeOrmLock({ url: databaseUrl(), schema }).create();
    await expect(lock.inspect('key')).rejects.toThrow(StorageError);
    await lock.init();
    closing.unshift(() => lock.close());
    const held = await lock.acquire('key', 'me', 60_000);
    expect(await storage.lock.inspect('key')).toMatchObject({ owner: 'me', fence: held!.fence });
    expect(await lock.release(held!)).toBe(true);
  });
});

function localUrl(port: number): string {
  const url = new URL(databaseUrl());
  url.host = `127.0.0.1:${port}`;
  return url.href;
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function pooler(settings: string[], port?: number) {
  const made = await refusingPooler(settings, databaseUrl(), port);
  closing.push(() => made.close());
  return made;
}
