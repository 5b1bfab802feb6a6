import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { connect } from '../../lib/typeorm/connect.js';
import type { Database } from '../../lib/typeorm/database.js';
import { findSwollenSql } from '../../lib/typeorm/sql/find.swollen.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { Vacuuming } from '../../lib/typeorm/vacuuming.js';
import { newJob } from '../support/engine.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

let client: pg.Client;
let storage: StorageAdapter;
let database: Database;
let schema: string;
let clock: ManualClock;
let vacuuming: Vacuuming;

beforeEach(async () => {
  schema = freshSchema('Vacuuming');
  client = new pg.Client(databaseUrl());
  await client.connect();
  storage = newStorage({ schema });
  await storage.init();
  const { run, cursor } = tableNames(schema, '');
  for (const table of [run, cursor])
    await client.query(`alter table ${table} set (autovacuum_enabled = off)`);
  const url = databaseUrl();
  database = await connect({ type: 'postgres', url }, adapterSettings({ url, poolSize: 2 }, false));
  clock = new ManualClock();
  vacuuming = new Vacuuming(() => database, tableNames(schema, ''), clock);
});

afterEach(async () => {
  await database.close();
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

/** Leaves rows that are gone in the table of runs. */
const leave = async (rows: number): Promise<void> => {
  const now = await storage.now();
  for (let left = rows; left > 0; left -= 1_000) {
    const jobs = Array.from({ length: Math.min(left, 1_000) }, () => newJob(now, { nextAt: now }));
    await storage.insertJobs(jobs, 'raise');
  }
  await client.query(`delete from "${schema}".run`);
  await client.query(`select pg_stat_force_next_flush()`);
};

const counted = async (): Promise<number> =>
  (await client.query(`select from pg_stats where schemaname = $1 and tablename = 'run'`, [schema]))
    .rowCount!;

const vacuums = async (): Promise<Record<string, number>> => {
  const { rows } = await client.query<{ relname: string; count: number }>(
    `select relname, vacuum_count::int as count from pg_stat_all_tables where schemaname = $1 and vacuum_count > 0`,
    [schema],
  );
  return Object.fromEntries(rows.map(({ relname, count }) => [relname, count]));
};

test('cleans up a table that is mostly rows which are gone, after many runs', async () => {
  await leave(11_000);
  vacuuming.note(19_999);
  await vacuuming.idle();
  expect(await vacuums()).toEqual({});
  vacuuming.note(1);
  await vacuuming.idle();
  expect(await vacuums()).toEqual({ run: 1 });
});

test('has a new table counted by the way', async () => {
  await leave(11_000);
  const now = await storage.now();
  await storage.insertJobs([newJob(now, { nextAt: now })], 'raise');
  vacuuming.note(20_000);
  await vacuuming.idle();
  expect(await counted()).toBeGreaterThan(0);
  const { rows } = await client.query(
    `select analyze_count::int as count from pg_stat_all_tables where schemaname = $1 and relname = 'run'`,
    [schema],
  );
  expect(rows).toEqual([{ count: 1 }]);
});

test('leaves alone a table with few of them', async () => {
  await leave(9_000);
  vacuuming.note(20_000);
  await vacuuming.idle();
  expect(await vacuums()).toEqual({});
});

test('leaves alone the tables of somebody else', async () => {
  await leave(11_000);
  const statement = findSwollenSql(tableNames(schema, ''));
  expect((await client.query(statement)).rows).toEqual([{ name: `"${schema}".run`, unknown: true }]);
  await client.query(`begin; create role "${schema}"; grant usage on schema "${schema}" to "${schema}"`);
  await client.query(`set local role "${schema}"`);
  expect((await client.query(statement)).rows).toEqual([]);
  await client.query('rollback');
});

test('a failure is nobody’s, and not tried again for a minute', async () => {
  let calls = 0;
  const away = new Vacuuming(
    () => {
      calls++;
      throw new Error('away');
    },
    tableNames(schema, ''),
    clock,
  );
  away.note(20_000);
  await away.idle();
  away.note(20_000);
  await away.idle();
  expect(calls).toBe(1);
  await clock.advanceBy(60_000);
  away.note(20_000);
  await away.idle();
  expect(calls).toBe(2);
});
