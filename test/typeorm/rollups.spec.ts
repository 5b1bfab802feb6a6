import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RollupMaker } from '../../lib/engine/rollup.maker.js';
import { statisticsUnits } from '../../lib/model/rollup.js';
import type { RollupStorage, StatisticsUnit } from '../../lib/ports/rollups.js';
import { queryRollupsSql } from '../../lib/typeorm/sql/query.rollups.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
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

/** Attempts as settlements would have written them, some of them long after their end. */
async function write(count: number, from: string, until: string): Promise<void> {
  await client.query(
    `insert into "${schema}".attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, started_at, finished_at)
     select n, 'ns-' || n % 3, 'job', 'handler-' || (random() * 4)::int, 'default', (array['at', 'schedule', 'retry'])[1 + n % 3],
       date_trunc('milliseconds', at - random() * interval '1 hour'), 1, 1 + n % 2, (array['succeeded', 'failed', 'lost'])[1 + (random() * 2)::int], random() < 0.7,
       case when random() < 0.9 then date_trunc('milliseconds', at - random() * interval '1 minute') end, at
     from (select n, date_trunc('milliseconds', (${from}) + random() * ((${until}) - (${from}))) as at from generate_series(1, $1::int) n) t`,
    [count],
  );
}

/** What the table of a unit should have, by another way than it was made. */
async function differing(unit: StatisticsUnit): Promise<unknown[]> {
  const seconds = { minute: 60, hour: 3_600, day: 86_400 }[unit];
  const { rows } = await client.query(
    `with counted as (
       select to_timestamp(floor(extract(epoch from finished_at) / ${seconds}) * ${seconds}) as start_at, namespace, queue, handler, outcome as verdict,
         sum(final::int) as runs, count(*) as attempts,
         sum(coalesce(floor(extract(epoch from finished_at - started_at) * 1000), 0)) as duration_ms,
         max(coalesce(floor(extract(epoch from finished_at - started_at) * 1000), 0)) as longest_ms,
         sum((fence = 1 and origin <> 'retry' and started_at is not null)::int) as begun
       from "${schema}".attempt where finished_at < (select to_timestamp((value::json ->> 'until')::float8 / 1000) from "${schema}".meta where key = 'statistics')
       group by 1, 2, 3, 4, 5
     ),
     stored as (
       select start_at, namespace, queue, handler, verdict, runs, attempts, duration_ms, longest_ms, (select sum(c) from unnest(lateness) c) as begun
       from "${schema}".stat_${unit}
     )
     (select 'missing' as what, * from counted except select 'missing', * from stored)
     union all (select 'wrong', * from stored except select 'wrong', * from counted)`,
  );
  return rows;
}

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
