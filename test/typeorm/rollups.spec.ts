import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RollupMaker } from '../../lib/engine/rollup.maker.js';
import { statisticsUnits } from '../../lib/model/rollup.js';
import type { RollupStorage, StatisticsUnit } from '../../lib/ports/rollups.js';
import { queryRollupsSql } from '../../lib/typeorm/sql/query.rollups.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { differingRollups, writeAttempts } from '../support/counted.ledger.js';
import { planOf } from '../support/plan.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('rollups');
const client = new pg.Client(databaseUrl());
const names = tableNames(schema, '', false);
const sql = prepareStatements(names);
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const retention = { defaultMs: 30 * day, byVerdict: {} };

beforeAll(async () => {
  const storage = newStorage({ schema });
  await storage.init();
  // Makes the days of the ledger.
  await storage.prune(retention);
  await storage.close();
  await client.connect();
}, 60_000);

afterAll(async () => {
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const write = (count: number, from: string, until: string): Promise<void> =>
  writeAttempts(client, schema, count, from, until);
const differing = (unit: StatisticsUnit): Promise<unknown[]> => differingRollups(client, schema, unit);

/** A maker that is killed some statements later: its connection ends where it is, and it never comes back. */
async function killed(afterMs: number): Promise<void> {
  const storage = newStorage({ schema });
  await storage.init();
  const maker = new RollupMaker(storage.rollups!, retention).round(() => false).catch(() => undefined);
  const kill = client.query(
    `select pg_sleep($1::float8 / 1000), pg_terminate_backend(pid) from pg_stat_activity
     where pid <> pg_backend_pid() and datname = current_database() and query like '%"${schema}"%'`,
    [afterMs],
  );
  await Promise.all([maker, kill]);
  await storage.close().catch(() => undefined);
}

const round = async (rollups: RollupStorage): Promise<void> =>
  new RollupMaker(rollups, retention).round(() => false);

test('are what the ledger has, wherever their maker was killed and whatever came late', async () => {
  await write(3_000, `now() - interval '40 hours'`, 'now()');
  for (let kill = 0; kill < 6; kill++) {
    await killed(Math.random() * 120);
    // A round later they are still of the last quarter of an hour, also where the machine is slow.
    await write(100, `now() - interval '5 minutes'`, 'now()');
  }
  // Of days that are over, and that none of the rounds has compared yet; today's later ones are found tomorrow.
  await write(
    200,
    `now() - interval '40 hours'`,
    `date_trunc('day', now() - interval '15 minutes', 'UTC') - interval '1 minute'`,
  );
  await client.query(
    `update "${schema}".meta set value = jsonb_set(value::jsonb, '{checkedUntil}', value::jsonb -> 'from')::text where key = 'statistics' and value <> ''`,
  );
  const storage = newStorage({ schema });
  await storage.init();
  // The first rounds may still be on their way through what there was, and check after that.
  for (let rounds = 0; rounds < 4; rounds++) await round(storage.rollups!);
  for (const unit of statisticsUnits) expect(await differing(unit)).toEqual([]);
  await storage.close();
}, 120_000);

test('say the same when they are counted anew', async () => {
  const storage = newStorage({ schema });
  await storage.init();
  const read = async (): Promise<unknown> =>
    Promise.all(
      statisticsUnits.map(async (unit) => {
        const { rows } = await client.query(`select * from "${schema}".stat_${unit} order by 1, 2, 3, 4, 5`);
        return rows as unknown[];
      }),
    );
  const before = await read();
  const { mark, now } = await storage.rollups!.rollupState();
  await client.query(`truncate "${schema}".stat_minute, "${schema}".stat_hour, "${schema}".stat_day`);
  const first = Math.floor(mark!.from / hour) * hour;
  for (let from = first; from < mark!.until; from += hour) {
    const until = Math.min(from + hour, mark!.until);
    await storage.rollups!.makeRollups({ from, until, kind: 'rebuild', wholeMs: now });
  }
  expect(await read()).toEqual(before);
  await storage.close();
}, 60_000);

test('are by UTC, also over midnight and in a zone that changes its clocks', async () => {
  const storage = newStorage({ schema, url: `${databaseUrl()}?options=-c%20timezone%3DAmerica/New_York` });
  await storage.init();
  const { now } = await storage.rollups!.rollupState();
  // The clocks go forward in New York at seven o'clock in UTC, and back at six.
  for (const [from, until] of [
    ['2026-03-07T23:00:00Z', '2026-03-08T09:00:00Z'],
    ['2026-10-31T23:00:00Z', '2026-11-01T09:00:00Z'],
  ] as const) {
    await write(500, `timestamptz '${from}'`, `timestamptz '${until}'`);
    for (let at = Date.parse(from); at < Date.parse(until); at += hour)
      await storage.rollups!.makeRollups({ from: at, until: at + hour, kind: 'rebuild', wholeMs: now });
  }
  for (const unit of statisticsUnits) expect(await differing(unit)).toEqual([]);
  const { rows } = await client.query(
    `select count(*)::int as days from (select distinct start_at from "${schema}".stat_day where start_at < '2026-11-02' and extract(hour from start_at at time zone 'UTC') = 0) d`,
  );
  expect(rows).toEqual([{ days: 4 }]);
  await storage.close();
}, 60_000);

test('are counted and read by few rows of many', async () => {
  await write(20_000, `now() - interval '40 hours'`, 'now()');
  await client.query(`analyze "${schema}".attempt, "${schema}".stat_minute`);
  const now = Date.now();
  const minutes = await planOf(client, sql.rollUpMinutes, [null, now - 2 * minute, now - minute]);
  expect([...minutes.scanned].filter((table) => table.startsWith('attempt'))).toEqual([]);
  expect(minutes.touched).toBeLessThan(400);
  const compared = await planOf(client, sql.compareRollups, [null, now - minute, now]);
  expect([...compared.scanned].filter((table) => table.startsWith('attempt'))).toEqual([]);
  const text = queryRollupsSql(names, 'minute', 'v.start_at >= to_timestamp($3::float8 / 1000)');
  const page = await planOf(client, text, [null, 101, now - 30 * minute]);
  expect([...page.scanned]).toEqual([]);
});
