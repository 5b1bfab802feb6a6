import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { freePort } from '../chaos/free.port.js';
import { Pooler, poolerMissing } from '../chaos/pooler.js';
import { newJob } from '../support/engine.js';
import { startPostgres, type PostgresServer } from '../support/postgres.js';
import { newStorage } from '../support/postgres.subject.js';
import { freshSchema } from '../support/schema.js';

let server: PostgresServer;
let admin: pg.Client;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  admin = new pg.Client(server.url);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await server.stop();
});

const can = { app: 'app', queues: ['default'], handlers: ['work'] };
const about = {
  name: 'w',
  generation: null,
  host: 'h',
  pid: 1,
  version: '0',
  zoneData: 'z',
  retention: null,
};

/** What PgBouncer drops at the start of a session cannot protect it: whatever the role, or the database, is set to later comes with the next session of the server. */
describe.skipIf(poolerMissing() !== null)('a setting that comes while a worker is behind PgBouncer', () => {
  let pooler: Pooler;
  let storage: StorageAdapter;

  beforeAll(async () => {
    const own = new URL(server.url);
    pooler = await Pooler.before(Number(own.port), await freePort(), own.username);
  });
  afterAll(() => pooler.stop());

  beforeEach(async () => {
    const url = new URL(server.url);
    url.port = String(pooler.port);
    storage = newStorage({ schema: freshSchema('role'), url: url.href, notify: false });
    await storage.init();
  });
  afterEach(async () => {
    await storage.close();
    await admin.query('alter role postgres reset all; alter database postgres reset all');
    await pooler.reconnect();
  });

  async function set(of: 'role' | 'database', setting: string, value: string): Promise<void> {
    await admin.query(`alter ${of} postgres set ${setting} = ${value}`);
    await pooler.reconnect();
  }

  test.each([
    ['role', 'extra_float_digits', '0'],
    ['role', 'extra_float_digits', '-3'],
    ['role', 'extra_float_digits', '-15'],
    ['database', 'extra_float_digits', '-3'],
    ['role', 'array_nulls', 'off'],
    ['database', 'array_nulls', 'off'],
    ['role', 'DateStyle', 'German, DMY'],
    ['role', 'IntervalStyle', 'sql_standard'],
    ['role', 'TimeZone', `'Asia/Kolkata'`],
    ['role', 'bytea_output', 'escape'],
    ['role', 'standard_conforming_strings', 'off'],
    ['role', 'search_path', 'pg_catalog'],
    ['role', 'xmlbinary', 'hex'],
    ['role', 'lc_numeric', `'C'`],
    ['role', 'quote_all_identifiers', 'on'],
  ] as const)('changes nothing of what is read and written: %s, %s = %s', async (of, setting, value) => {
    await set(of, setting, value);
    const now = await storage.now();
    const before = Date.now();
    expect(Math.abs(before - (await storage.now()))).toBeLessThan(1_000);
    const exact = await storage.exactNow();
    expect(exact).toBeGreaterThanOrEqual(now);
    expect(exact).toBeLessThan(Date.now() + 1);

    const later = 1_999_999_999_123;
    await storage.insertJobs([newJob(later, { id: 'later' })], 'raise');
    expect((await storage.getJob({ namespace: 'default', id: 'later' }))!.nextRunAt!.getTime()).toBe(later);

    const id = `w${now}`;
    const { leaseUntil } = await storage.register({ id, ...about, ...can }, 30_000);
    expect(leaseUntil % 1).toBe(0);
    const due = now - (now % 10) - 993;
    const payload = ['NULL', 'null', '', '\\', '{"a"}', `o'clock`, 'ä'];
    await storage.insertJobs(
      [due, due - 1].map((at, nth) => newJob(at, { payload, name: nth === 0 ? null : 'NULL' })),
      'raise',
    );
    const { runs } = await storage.claim({ workerId: id, ...can }, 10);
    expect(runs).toMatchObject([
      { dueAt: due - 1, nominalAt: due - 1, jobName: 'NULL', payload },
      { dueAt: due, nominalAt: due, jobName: null, payload },
    ]);
  });
});
