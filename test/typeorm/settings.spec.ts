import { createRequire } from 'node:module';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StorageError, type StorageAdapter } from '../../lib/index.js';
import { connect } from '../../lib/typeorm/connect.js';
import { clientSettings } from '../../lib/typeorm/connection.settings.js';
import type { TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { newJob } from '../support/engine.js';
import { newStorage } from '../support/postgres.subject.js';
import { refusingPooler } from '../support/refusing.pooler.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const admin = new pg.Client(databaseUrl());
const closing: (() => unknown)[] = [];
let schema: string;
/** A role of the test's own, which owns its schema. */
let role: string;

beforeAll(() => admin.connect());
afterAll(() => admin.end());

beforeEach(async () => {
  schema = freshSchema('settings');
  role = `role_of_${schema}`;
  await admin.query(`create role "${role}" login; create schema "${schema}" authorization "${role}"`);
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await admin.query(`drop schema "${schema}" cascade; drop role "${role}"`);
});

function refusal(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => expect.fail('It should have been refused.'),
    (error: unknown) => error as Error,
  );
}

const setForRole = (setting: string, value: string) =>
  admin.query(`alter role "${role}" set ${setting} = '${value}'`);

function urlOfRole(url = databaseUrl()): string {
  const changed = new URL(url);
  changed.username = role;
  return changed.href;
}

function storageOfRole(options: TypeOrmStorageOptions = {}): StorageAdapter {
  return newStorage({ schema, url: urlOfRole(), connectTimeoutMs: 300, ...options });
}

async function opened(storage: StorageAdapter): Promise<StorageAdapter> {
  closing.unshift(() => storage.close());
  await storage.init();
  return storage;
}

/** As a database sees itself through the connections of a storage. */
async function ask<Row>(text: string, url = urlOfRole()): Promise<Row> {
  const database = await connect({ type: 'postgres', url }, adapterSettings({ url, schema }, false));
  closing.unshift(() => database.close());
  const [row] = await database.run<Row>(`select ${text}, $1::text as time`);
  return row;
}

/** A job keeps its instants to the millisecond, and a list of it its holes. */
async function keepsInstants(storage: StorageAdapter): Promise<void> {
  const at = 1_999_999_999_123;
  const [job] = await storage.insertJobs([newJob(at, { id: 'exact' })], 'raise');
  expect(job).toMatchObject({ status: 'created' });
  const found = await storage.getJob({ namespace: 'default', id: 'exact' });
  expect(found!.nextRunAt!.getTime()).toBe(at);
}

describe('what a role is set to', () => {
  test.each([
    ['extra_float_digits', '-3'],
    ['array_nulls', 'off'],
    ['default_transaction_isolation', 'repeatable read'],
    ['default_transaction_isolation', 'serializable'],
    ['lock_timeout', '50ms'],
    ['idle_in_transaction_session_timeout', '200ms'],
    ['search_path', 'nowhere'],
    ['bytea_output', 'escape'],
    ['standard_conforming_strings', 'off'],
    ['DateStyle', 'German'],
  ])('does not matter for %s = %s', async (setting, value) => {
    await setForRole(setting, value);
    await keepsInstants(await opened(storageOfRole()));
  });

  test('is set aside for the connections of Chronis', async () => {
    await setForRole('default_transaction_isolation', 'serializable');
    await setForRole('lock_timeout', '50ms');
    await setForRole('jit', 'on');
    const settings = `current_setting('transaction_isolation') as isolation, current_setting('lock_timeout') as lock, current_setting('jit') as jit`;
    expect(await ask(settings)).toMatchObject({
      isolation: 'read committed',
      lock: '0',
      jit: 'off',
    });
  });

  test('does not keep eight instances that start at once on an empty database from starting', async () => {
    await setForRole('lock_timeout', '50ms');
    const instances = Array.from({ length: 8 }, () => storageOfRole());
    for (const storage of instances) closing.unshift(() => storage.close());
    await Promise.all(instances.map((storage) => storage.init()));
    for (const storage of instances) expect(await storage.countJobs({})).toBe(0);
  });

  test('comes with the options that the application gave, which hold as well', async () => {
    const url = new URL(urlOfRole());
    url.searchParams.set('options', '-c work_mem=5MB -c lock_timeout=50ms');
    const settings = `current_setting('work_mem') as memory, current_setting('lock_timeout') as lock`;
    expect(await ask(settings, url.href)).toMatchObject({ memory: '5MB', lock: '0' });
  });

  test('is set aside, beside such options, in URLs that only pg understands', async () => {
    const { hostname, port, username, pathname } = new URL(urlOfRole());
    const url = `postgres://${username}@${pathname}?host=${hostname}&port=${port}&options=-c%20lock_timeout%3D50`;
    expect(() => new URL(url)).toThrow();
    expect(await ask(`current_setting('lock_timeout') as lock`, url)).toMatchObject({ lock: '0' });
  });

  test('is set aside also for the connections beside the pool, as far as the server has let itself be told', async () => {
    await setForRole('default_transaction_isolation', 'serializable');
    const isolations = [];
    for (const options of [true, false]) {
      const startup = { deadline: true, options };
      const client = new pg.Client(clientSettings({ type: 'postgres', url: urlOfRole() }, 2_000, startup));
      await client.connect();
      const { rows } = await client.query<{ isolation: string }>(
        `select current_setting('transaction_isolation') as isolation`,
      );
      isolations.push(rows[0]!.isolation);
      await client.end();
    }
    expect(isolations).toEqual(['read committed', 'serializable']);
  });
});

describe('behind a pooler that refuses settings', () => {
  async function refusedBehindPooler(): Promise<Error> {
    const pooler = await refusingPooler(['statement_timeout', 'options']);
    closing.push(() => pooler.close());
    const storage = storageOfRole({ url: urlOfRole(pooler.url), notify: false });
    closing.unshift(() => storage.close());
    return refusal(storage.init());
  }

  test.each([
    ['lock_timeout', '50ms', 'lock_timeout is 50ms'],
    ['default_transaction_isolation', 'serializable', 'default_transaction_isolation is "serializable"'],
  ])(
    '%s = %s of the role is refused at boot, with who has set it and the fix',
    async (setting, value, says) => {
      await setForRole(setting, value);
      const error = await refusedBehindPooler();
      expect(error).toBeInstanceOf(StorageError);
      expect(error.message).toContain(says);
      expect(error.message).toContain(`It is set for the role: alter role ${role} reset ${setting};`);
    },
  );

  test('a role in one database is named as that', async () => {
    const name = new URL(databaseUrl()).pathname.slice(1);
    await admin.query(`alter role "${role}" in database "${name}" set lock_timeout = '50ms'`);
    const { message } = await refusedBehindPooler();
    expect(message).toContain(`alter role ${role} in database ${name} reset lock_timeout;`);
  });
});

describe('a server that takes no changes', () => {
  test('by a setting of the role is refused at boot, with the fix', async () => {
    await setForRole('default_transaction_read_only', 'on');
    const error = await refusal(storageOfRole().init());
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain('default_transaction_read_only is on.');
    expect(error.message).toContain(`alter role ${role} reset default_transaction_read_only;`);
  });

  test('is found out by each new connection, and used again when it takes them', async () => {
    const storage = await opened(storageOfRole({ notify: false }));
    const cut = () =>
      admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = '${role}'`);
    await setForRole('default_transaction_read_only', 'on');
    await cut();
    // The first call may meet the connection that was cut.
    await refusal(storage.lock.acquire('key', 'me', 1_000));
    const error = await refusal(storage.lock.acquire('key', 'me', 1_000));
    expect(error.message).toContain('takes no changes: default_transaction_read_only is on.');
    await admin.query(`alter role "${role}" reset default_transaction_read_only`);
    expect(await storage.lock.acquire('key', 'me', 1_000)).not.toBeNull();
  });
});

describe('what an application has done to pg', () => {
  test('results in binary do not reach Chronis', async () => {
    pg.defaults.binary = true;
    closing.push(() => (pg.defaults.binary = false));
    await keepsInstants(await opened(storageOfRole()));
  });

  /** Has the parts of pg-native's client that get so far. */
  class Native {
    readonly _queryable = true;
    connect = (callback: () => void) => callback();
    on = () => this;
    once = () => this;
    removeListener = () => this;
    end = (callback?: () => void) => callback?.();
    query = async () => ({ rows: [{ version: '18.0', current_database: 'x', current_schema: 'x' }] });
  }

  class Pool extends pg.Pool {
    constructor(options: pg.PoolConfig & { Client?: never }) {
      super({ ...options, Client: options.Client ?? Native } as never);
    }
  }

  test('a driver that is not the JavaScript client is refused', async () => {
    const { hostname: host, port, pathname } = new URL(databaseUrl());
    const driver = { Pool, Client: Native };
    const options = { host, port: Number(port), username: role, database: pathname.slice(1), driver };
    const storage = storageOfRole({ url: undefined, options });
    closing.unshift(() => storage.close());
    const error = await refusal(storage.init());
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain('The driver is not the JavaScript client of pg');
  });

  test('pg-native, which TypeORM prefers where it is installed, is not used', async () => {
    type Loader = { PlatformTools: { load: (this: unknown, name: string) => unknown } };
    const { PlatformTools } = createRequire(import.meta.url)('typeorm/platform/PlatformTools.js') as Loader;
    const { load } = PlatformTools;
    const native = Object.getOwnPropertyDescriptor(pg, 'native')!;
    PlatformTools.load = (name) => (name === 'pg-native' ? {} : load.call(PlatformTools, name));
    Object.defineProperty(pg, 'native', { configurable: true, get: () => ({ Pool, Client: Native }) });
    closing.push(() => {
      PlatformTools.load = load;
      Object.defineProperty(pg, 'native', native);
    });
    await keepsInstants(await opened(storageOfRole()));
  });
});

describe('a pool of two', () => {
  test('serves calls and the loop', async () => {
    const storage = await opened(storageOfRole({ poolSize: 2 }));
    const calls = Array.from({ length: 50 }, (_, n) =>
      storage.insertJobs([newJob(1_999_999_999_000, { id: `job-${n}` })], 'raise'),
    );
    expect(await storage.now()).toBeGreaterThan(0);
    await Promise.all(calls);
    expect(await storage.countJobs({})).toBe(50);
  });
});

describe('calls of the application', () => {
  test('leave connections to the loop, however many wait', async () => {
    const storage = await opened(storageOfRole({ statementTimeoutMs: 2_000 }));
    await storage.insertJobs([newJob(1_999_999_999_000, { id: 'held' })], 'raise');
    await admin.query(`begin; lock table "${schema}".job, "${schema}".run in access exclusive mode`);
    const ref = { namespace: 'default', id: 'held' };
    const calls = Promise.allSettled(Array.from({ length: 20 }, () => storage.cancelJob(ref)));
    const answers = [storage.now(), storage.lock.acquire('key', 'me', 1_000)];
    // Both come while all calls still wait for the lock.
    const first = await Promise.race([Promise.all(answers), calls]);
    await admin.query('rollback');
    expect(first).toHaveLength(2);
    await calls;
  });
});

describe('a limit of connections', () => {
  test('of the role is told by its name at the start, with what a process takes', async () => {
    await admin.query(`alter role "${role}" connection limit 0`);
    const { message } = await refusal(storageOfRole().init());
    expect(message).toContain(`has no connection left: too many connections for role "${role}". Tried `);
    expect(message).toContain('as many as its poolSize (4 by default) and 3 more');
    expect(message).toContain(
      'raise the limit of the role (alter role … connection limit …), lower poolSize',
    );
    expect(message).not.toContain('Is the server running');
  });

  test('of the database is told as that', async () => {
    const url = new URL(urlOfRole());
    url.pathname = `/${schema}`;
    await admin.query(`create database "${schema}" connection limit 0`);
    const { message } = await refusal(storageOfRole({ url: url.href }).init());
    await admin.query(`drop database "${schema}"`);
    expect(message).toContain(`too many connections for database "${schema}"`);
    expect(message).toContain('raise the limit of the database (alter database … connection limit …)');
  });

  test('is told by the call that it keeps from a connection', async () => {
    const storage = await opened(storageOfRole({ poolSize: 2, notify: false }));
    await admin.query(`alter role "${role}" connection limit 1`);
    const calls = Array.from({ length: 20 }, () => storage.now());
    const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    expect(String((failed[0] as PromiseRejectedResult).reason)).toMatch(
      /No connection to PostgreSQL: too many connections for role .*lower poolSize/,
    );
  });
});
