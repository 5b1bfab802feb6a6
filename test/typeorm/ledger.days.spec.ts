import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { migrationSql, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const client = new pg.Client(databaseUrl());
const dayMs = 86_400_000;
const hourMs = 3_600_000;
const retention = { defaultMs: 30 * dayMs, byVerdict: {} };
let schema: string;
let storage: StorageAdapter;

beforeAll(() => client.connect());
afterAll(() => client.end());
beforeEach(() => {
  schema = freshSchema('days');
});
afterEach(async () => {
  await storage.close();
  await client.query(`drop schema if exists "${schema}" cascade`);
});

async function open(options: TypeOrmStorageOptions = {}): Promise<void> {
  storage = newStorage({ schema, ...options });
  await storage.init();
}

/** Rows of attempts that ended then. */
async function addAttempts(count: number, at: number): Promise<void> {
  await client.query(
    `insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, finished_at)
     select n, 'default', 'job', 'work', 'default', 'at', $2, 1, 1, 'succeeded', true, $2 from generate_series(1, $1::int) n`,
    [count, new Date(at)],
  );
}

/** The days that have a partition, as numbers of days from now. */
async function days(now: number): Promise<number[]> {
  const { rows } = await client.query<{ day: string }>(
    `select substring(relname from 'attempt_(\\d{8})$') as day from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relispartition and relkind = 'r' and relname ~ 'attempt_\\d{8}$'`,
    [schema],
  );
  const today = Math.floor(now / dayMs);
  return rows
    .map(({ day }) => Date.parse(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`) / dayMs - today)
    .toSorted((a, b) => a - b);
}

const inDefault = async (): Promise<number> =>
  (await client.query<{ n: number }>(`select count(*)::int as n from "${schema}".attempt_default`)).rows[0]!
    .n;

describe('the days of the ledger', () => {
  test('are made at the start where the tables are made by hand, and take what has been written before', async () => {
    await client.query(migrationSql({ schema }));
    await addAttempts(3, Date.now());
    await open({ migrate: 'check' });
    expect(await days(Date.now())).toEqual([0, 1, 2]);
    expect(await inDefault()).toBe(0);
    expect((await storage.queryAttempts({}, {})).items).toHaveLength(3);
  });

  test('to come are made where too much was written for today, which comes back by itself', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    await open({ clock });
    // Nobody was there for days, and then a lot is written at once.
    await clock.advanceBy(10 * dayMs);
    await addAttempts(10_001, clock.now());
    await storage.prune(retention);
    expect(await days(clock.now())).toEqual([-10, -9, -8, 1, 2]);
    await client.query(`delete from "${schema}".attempt_default where run_id > 5`);
    await storage.prune(retention);
    expect(await days(clock.now()), 'It is left alone for an hour.').toEqual([-10, -9, -8, 1, 2]);
    await clock.advanceBy(hourMs + 1);
    await storage.prune(retention);
    expect(await days(clock.now())).toEqual([-10, -9, -8, 0, 1, 2]);
    expect(await inDefault()).toBe(0);
    expect((await storage.queryAttempts({}, {})).items).toHaveLength(5);
  });

  test('are made also where somebody has dropped the default partition', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    await open({ clock });
    await client.query(`drop table "${schema}".attempt_default`);
    await clock.advanceBy(10 * dayMs);
    await storage.prune(retention);
    expect(await days(clock.now())).toEqual([-10, -9, -8, 0, 1, 2]);
  });

  test('age out with what is left in no day', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    await open({ clock });
    await clock.advanceBy(10 * dayMs);
    await addAttempts(10_001, clock.now());
    await storage.prune(retention);
    await clock.advanceBy(34 * dayMs);
    for (let round = 0; round < 4; round++) await storage.prune(retention);
    expect(await inDefault()).toBe(0);
    expect(await days(clock.now())).toEqual([0, 1, 2]);
  });

  test('of which one cannot be dropped or made keep no other from it', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    await open({ clock });
    await clock.advanceBy(40 * dayMs);
    const [, tomorrow] = [0, 1].map((n) => new Date(clock.now() + n * dayMs).toISOString().slice(0, 10));
    const foreign = `"${schema}".attempt_${tomorrow!.replaceAll('-', '')}`;
    await client.query(`create table ${foreign} (x int)`);
    await client.query(
      `create view "${schema}".of_first as select * from "${schema}".attempt_${new Date(clock.now() - 40 * dayMs).toISOString().slice(0, 10).replaceAll('-', '')}`,
    );
    await expect(storage.prune(retention)).rejects.toThrow(/already exists/);
    expect(await days(clock.now())).toEqual([-40, 0, 2]);
    await storage.prune(retention);
  });

  test('of which somebody reads one, as a dump does, leave it for five minutes, and the others go', async () => {
    const clock = new ManualClock(Math.floor(Date.now() / dayMs) * dayMs);
    await open({ clock });
    const first = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '');
    await clock.advanceBy(40 * dayMs);
    await client.query(`begin; lock table "${schema}".attempt_${first} in access share mode`);
    await storage.prune(retention);
    await client.query('rollback');
    expect(await days(clock.now())).toEqual([-40, 0, 1, 2]);
    await clock.advanceBy(60_000);
    await storage.prune(retention);
    expect(await days(clock.now()), 'Each further try would keep whoever writes waiting.').toEqual([
      -40, 0, 1, 2,
    ]);
    await clock.advanceBy(240_001);
    await storage.prune(retention);
    expect(await days(clock.now())).toEqual([0, 1, 2]);
  });
});
