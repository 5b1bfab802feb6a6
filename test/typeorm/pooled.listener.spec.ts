import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StorageError, type StorageAdapter, type Wake } from '../../lib/index.js';
import { typeOrmStorage, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { freePort } from '../chaos/free.port.js';
import { Pooler, poolerMissing } from '../chaos/pooler.js';
import { newJob } from '../support/engine.js';
import { NestApp } from '../support/nest.app.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** What names the cause and the fix. */
const named = /PgBouncer in transaction mode.*listenUrl/s;

let server: PostgresServer;
const opened: StorageAdapter[] = [];

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
});

async function open(options: TypeOrmStorageOptions): Promise<StorageAdapter> {
  const storage = newStorage({ schema: freshSchema('pooled'), ...options });
  opened.push(storage);
  await storage.init();
  return storage;
}

describe.skipIf(poolerMissing() !== null)('behind PgBouncer in transaction mode', () => {
  let pooler: Pooler;
  let url: string;

  beforeAll(async () => {
    const own = new URL(server.url);
    pooler = await Pooler.before(Number(own.port), await freePort(), own.username);
    own.host = `127.0.0.1:${pooler.port}`;
    url = own.href;
  });
  afterAll(() => pooler.stop());

  test('who listens is told that nothing arrives, and what to do', async () => {
    const storage = await open({ url });
    const refused = await storage.wakeSignal!.subscribe(() => undefined).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect((refused as Error).message).toMatch(named);
    await expect(storage.eventChannel!.subscribe(() => undefined)).rejects.toThrow(named);
  });

  test('a listenUrl past it hears', async () => {
    const storage = await open({ url, listenUrl: server.url });
    let tell: (wake: Wake) => void;
    const woken = new Promise<Wake>((resolve) => (tell = resolve));
    await storage.wakeSignal!.subscribe((wake) => tell(wake));
    await storage.insertJobs([newJob(await storage.now())], 'raise');
    expect(await woken).toMatchObject({ kind: 'due', what: 'run' });
  });

  test('an application tells it once, and health() for as long as it lasts', async () => {
    const schema = freshSchema('pooled');
    const app = await NestApp.boot({ chronis: { storage: typeOrmStorage({ url, schema }) } });
    try {
      const [told, ...others] = app.heard('wake.unavailable');
      expect(others).toEqual([]);
      expect((told!.error as Error).message).toMatch(named);
      const { healthy, warnings } = await app.scheduler.health();
      expect(healthy).toBe(true);
      expect(warnings).toEqual([expect.stringMatching(named)]);
    } finally {
      await app.app.close();
    }
  });
});

test('a listenUrl that leads to another database is told at the boot, by the names of both', async () => {
  const admin = new pg.Client(server.url);
  await admin.connect();
  await admin.query('create database elsewhere');
  await admin.end();
  const elsewhere = new URL(server.url);
  elsewhere.pathname = '/elsewhere';
  const storage = typeOrmStorage({
    url: server.url,
    listenUrl: elsewhere.href,
    schema: freshSchema('pooled'),
  });
  const app = await NestApp.boot({ chronis: { storage } });
  try {
    const [told] = app.heard('wake.unavailable');
    expect((told!.error as Error).message).toMatch(
      /leads to the database "elsewhere", and the tables are in "postgres" of the same server\..*"listenUrl".*the database "postgres"/,
    );
    expect((told!.error as Error).message).not.toContain('ooler');
  } finally {
    await app.app.close();
  }
});

test('a listenUrl that leads to another server is told as that', async () => {
  const storage = await open({ url: server.url, listenUrl: databaseUrl() });
  const refused = storage.wakeSignal!.subscribe(() => undefined);
  await expect(refused).rejects.toThrow(
    /leads to another server, .*the tables are in "postgres" of the server/,
  );
  await expect(refused).rejects.not.toThrow(/ooler/);
});
