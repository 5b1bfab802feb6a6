import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InvalidPayloadError, StorageError, type StorageAdapter } from '../../lib/index.js';
import { newJob } from '../support/engine.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';

let server: PostgresServer;
let storage: StorageAdapter;
let client: pg.Client;

beforeAll(async () => {
  // The smallest queue that a server can have.
  server = await startPostgres({ settings: { fsync: 'off', max_notify_queue_pages: '64' } });
  storage = newStorage({ url: server.url });
  await storage.init();
  client = new pg.Client(server.url);
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await storage.close();
  await server.stop();
});

test('a full queue of notifications is a matter of the storage, not of what was to be stored', async () => {
  // One that listens within a transaction keeps the queue from being emptied.
  const idler = new pg.Client(server.url);
  await idler.connect();
  await idler.query('listen elsewhere');
  await idler.query('begin');
  const flood = `select pg_notify('elsewhere', n || repeat('x', 7000)) from generate_series(1, 100) n`;
  await expect(
    (async () => {
      for (;;) await client.query(flood);
    })(),
  ).rejects.toThrow('too many notifications');
  const now = await storage.now();
  // A small notification may still find room.
  const insert = async (): Promise<void> => {
    for (let n = 0; ; n++) await storage.insertJobs([newJob(now, { id: `told-${n}` })], 'raise');
  };
  const error = await insert().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(StorageError);
  expect(error).not.toBeInstanceOf(InvalidPayloadError);
  await idler.end();
});
