import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { StorageError, type StorageAdapter, type Wake } from '../../lib/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';

let server: PostgresServer;
let storage: StorageAdapter;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  storage = newStorage({ url: server.url, statementTimeoutMs: 1_000 });
  await storage.init();
});

afterAll(async () => {
  await storage.close();
  await server.stop();
});

beforeEach(async () => {
  expect(await storage.countJobs({})).toBe(0);
});

describe('when the server dies', () => {
  test.each(['SIGKILL', 'SIGQUIT', 'SIGINT'] as const)(
    'by %s, calls reject until it is back, and the process lives',
    async (signal) => {
      // Two connections in the pool: both must be noticed.
      await Promise.all([storage.now(), storage.now()]);
      await server.kill(signal);
      const ask = () =>
        Promise.allSettled([storage.now(), storage.countJobs({}), storage.lock.inspect('key')]);
      let refused = await ask();
      // Its children serve for a moment more, until they notice.
      while (refused.some(({ status }) => status === 'fulfilled')) refused = await ask();
      for (const result of refused)
        expect((result as PromiseRejectedResult).reason).toBeInstanceOf(StorageError);
      await server.restart();
      expect(await storage.countJobs({})).toBe(0);
      expect(await storage.now()).toBeGreaterThan(0);
    },
  );

  test('in the middle of a statement, the call rejects and the next one works', async () => {
    const blocker = await holdTable('lock');
    const waiting = storage.lock.acquire('key', 'me', 60_000);
    const rejected = expect(waiting).rejects.toBeInstanceOf(StorageError);
    await blocker.waited();
    await server.kill('SIGKILL');
    await rejected;
    await server.restart();
    expect(await storage.lock.acquire('key', 'me', 60_000)).not.toBeNull();
  });

  test('and comes back, those who listen are told to look', async () => {
    const wakes: Wake[] = [];
    let heard = (): void => undefined;
    const end = await storage.wakeSignal!.subscribe((wake) => {
      wakes.push(wake);
      heard();
    });
    const change = new Promise<void>((resolve) => {
      heard = () => wakes.some(({ kind }) => kind === 'change') && resolve();
    });
    await server.kill('SIGKILL');
    await server.restart();
    await change;
    await end();
  });
});

describe('when the server does not answer', () => {
  test('the statement has a deadline, and the connection goes on', async () => {
    const blocker = await holdTable('lock');
    await expect(storage.lock.inspect('key')).rejects.toThrow(/statement timeout/);
    await blocker.release();
    await expect(storage.lock.inspect('key')).resolves.toBeDefined();
  });

  test('at all, the deadline is kept by the client', async () => {
    const frozen = [...(await backends()), server.pid];
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
    try {
      await expect(storage.now()).rejects.toBeInstanceOf(StorageError);
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGCONT');
    }
    expect(await storage.now()).toBeGreaterThan(0);
  });
});

/** Locks a table of the storage from outside. */
async function holdTable(table: string): Promise<{ waited(): Promise<void>; release(): Promise<void> }> {
  const client = new pg.Client(server.url);
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`begin; lock table chronis.${table} in access exclusive mode`);
  return {
    waited: async () => {
      const watcher = new pg.Client(server.url);
      await watcher.connect();
      const waiting = `select count(*)::int as count from pg_locks where not granted`;
      while ((await watcher.query<{ count: number }>(waiting)).rows[0]!.count === 0);
      await watcher.end();
    },
    release: () => client.end(),
  };
}

/** The server's processes that serve the pool. */
async function backends(): Promise<number[]> {
  const client = new pg.Client(server.url);
  await client.connect();
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = 'chronis'`,
  );
  await client.end();
  return rows.map(({ pid }) => pid);
}
