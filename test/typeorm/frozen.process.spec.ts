import { Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { connect } from '../../lib/typeorm/connect.js';
import type { Database } from '../../lib/typeorm/database.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

// A lock that stays is told as such.
const admin = new pg.Client({ connectionString: databaseUrl(), statement_timeout: 10_000 });
const schema = freshSchema('frozen');
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  await admin.connect();
  await admin.query(`create schema "${schema}"; create table "${schema}".kept as select 1 as id`);
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

afterAll(async () => {
  await admin.query(`drop schema "${schema}" cascade`);
  await admin.end();
});

async function connected(statementTimeoutMs: number): Promise<Database> {
  const url = databaseUrl();
  const database = await connect(
    { type: 'postgres', url },
    adapterSettings({ url, statementTimeoutMs }, false),
  );
  closing.unshift(() => database.close());
  return database;
}

const lock = `select id from "${schema}".kept for update`;

test.each(['transaction', 'script'] as const)(
  'a process that freezes within a %s keeps its locks for three deadlines, and what it does later fails',
  async (kind) => {
    const deadlineMs = 200;
    const database = await connected(deadlineMs);
    let lockedMs = 0;
    const freeze = async (): Promise<void> => {
      const since = performance.now();
      await admin.query(lock);
      lockedMs = performance.now() - since;
    };
    const work =
      kind === 'script'
        ? database.script(async (run) => {
            await run(lock);
            await freeze();
            await run(lock);
          })
        : database.transaction(async (transaction) => {
            await transaction.run(`${lock} offset $1::int`);
            await freeze();
            await transaction.run(`${lock} offset $1::int`);
          });
    await expect(work).rejects.toThrow();
    expect(lockedMs).toBeGreaterThan(2 * deadlineMs);
    expect(lockedMs).toBeLessThan(20 * deadlineMs);
  },
);

test('the server notices a host that is gone within half a minute', async () => {
  const database = await connected(1_000);
  const names = ['idle', 'interval', 'count'].map((what) => `tcp_keepalives_${what}`);
  const all = [...names, 'tcp_user_timeout'];
  const columns = all.map((name) => `current_setting('${name}') as ${name}`);
  const [row] = await database.run(`select ${columns.join(', ')}, $1::text as time`);
  expect(row).toMatchObject({
    tcp_keepalives_idle: '15',
    tcp_keepalives_interval: '5',
    tcp_keepalives_count: '3',
    tcp_user_timeout: '30000',
  });
});

test('a process notices a server whose host is gone: each connection is probed while it is silent', async () => {
  const set = vi.spyOn(Socket.prototype, 'setKeepAlive');
  closing.push(() => set.mockRestore());
  const open = vi.spyOn(Socket.prototype, 'connect');
  closing.push(() => open.mockRestore());
  const storage = newStorage({ schema });
  closing.unshift(() => storage.close());
  await storage.init();
  const pooled = open.mock.calls.length;
  await storage.wakeSignal!.subscribe(() => undefined);
  expect(pooled).toBeGreaterThan(0);
  expect(open.mock.calls.length).toBe(pooled + 1);
  expect(set.mock.calls).toEqual(open.mock.calls.map(() => [true, 10_000]));
});
