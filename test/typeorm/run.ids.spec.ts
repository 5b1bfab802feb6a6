import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrationSql } from '../../lib/typeorm/index.js';
import { InvalidOptionError } from '../../lib/index.js';
import { placeOf } from '../../lib/typeorm/paging.js';
import { runIdFrom } from '../../lib/typeorm/sql/run.id.fragment.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { newJob } from '../support/engine.js';
import { ReleaseBefore } from '../support/release.before.js';

const client = new pg.Client(databaseUrl());
let schema: string;

beforeAll(() => client.connect());
afterAll(() => client.end());
beforeEach(() => {
  schema = freshSchema('ids');
});
afterEach(() => client.query(`drop schema if exists "${schema}" cascade`));

const insert = (values: string): string => `
  insert into "${schema}".run (nominal_at, priority, keyed, queue, handler, namespace, job_id, origin)
  ${values} returning id::text, job_id`;

async function bear(values: string): Promise<bigint[]> {
  const { rows } = await client.query<{ id: string; job_id: string }>(insert(values));
  return rows.toSorted((a, b) => Number(a.job_id) - Number(b.job_id)).map(({ id }) => BigInt(id));
}

const many = (count: number): Promise<bigint[]> =>
  bear(`select now(), 5, false, 'q', 'h', 'n', nth::text, 'at' from generate_series(1, ${count}) nth`);

describe('ids of runs', () => {
  test('of nineteen digits, as they are from 2034 on, are places of a page', () => {
    const place = ['2000000000000000000'];
    expect(placeOf(JSON.stringify(place), ['id'])).toEqual(place);
    for (const id of ['9223372036854775808', '12345678901234567890', '1e3', '-1'])
      expect(() => placeOf(JSON.stringify([id]), ['id'])).toThrow(InvalidOptionError);
  });

  test('are not negative where the clock of the server is far behind', async () => {
    await client.query(migrationSql({ schema }));
    const expression = runIdFrom(`"${schema}".run_number`);
    expect(expression).toContain('statement_timestamp()');
    const { rows } = await client.query<{ id: string }>(
      `select ${expression.replaceAll('statement_timestamp()', `timestamptz '2001-01-01'`)}::text as id`,
    );
    expect(BigInt(rows[0]!.id)).toBeGreaterThanOrEqual(0n);
  });

  test('grow from row to row and from statement to statement', async () => {
    await client.query(migrationSql({ schema }));
    const ids = [...(await many(10_000)), ...(await many(10_000))];
    const sorted = ids.toSorted((a, b) => (a < b ? -1 : 1));
    // The numbers in them begin anew each 33 million: at most once here.
    const turns = ids.filter((id, nth) => nth > 0 && id < ids[nth - 1]!).length;
    expect(turns).toBeLessThanOrEqual(1);
    if (turns === 0) expect(ids).toEqual(sorted);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('do not come again when the sequence goes back, as after a failover that lost commits', async () => {
    await client.query(migrationSql({ schema }));
    const { rows } = await client.query<{ at: string }>(
      `select last_value::text as at from "${schema}".run_number`,
    );
    const lost = await many(1_000);
    await client.query(`delete from "${schema}".run`);
    // A server does not come up within a hundredth of a second.
    await client.query('select pg_sleep(0.02)');
    await client.query(`select setval('"${schema}".run_number', ${rows[0]!.at}, false)`);
    const anew = await many(1_000);
    expect(anew.filter((id) => lost.includes(id))).toEqual([]);
    expect(anew[0]! > lost.at(-1)!).toBe(true);
  });

  test('are greater than those of version 1, whose code goes on inserting', async () => {
    const before = new ReleaseBefore(schema, 'before', 'shop');
    await before.open();
    await before.install();
    await before.leave();
    const old = await many(3);
    expect(old).toEqual([1n, 2n, 3n]);
    await client.query(migrationSql({ schema, from: 1 }));
    const anew = await many(3);
    expect(anew.every((id) => id > 3n)).toBe(true);
    expect(anew).toEqual(anew.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test('need no right on the sequence', async () => {
    await client.query(migrationSql({ schema }));
    const role = freshSchema('tenant');
    await client.query(
      `create role ${role}; grant usage on schema "${schema}" to ${role};
       grant select, insert, update, delete on all tables in schema "${schema}" to ${role}`,
    );
    try {
      await client.query(`set role ${role}`);
      expect(await many(1)).toHaveLength(1);
    } finally {
      await client.query(`reset role; drop owned by ${role}; drop role ${role}`);
    }
  });

  test('name their run in every call, however large they are', async () => {
    const storage = newStorage({ schema });
    await storage.init();
    try {
      await storage.insertJobs([newJob(Date.now() + 3_600_000)], 'raise');
      await client.query(`update "${schema}".run set id = 9223372036854775807`);
      const [run] = (await storage.queryRuns({ runId: '9223372036854775807' }, {})).items;
      expect(run?.id).toBe('9223372036854775807');
      expect((await storage.queryRuns({ runId: '9223372036854775808' }, {})).items).toEqual([]);
      expect(await storage.cancelRun('9223372036854775808')).toBeNull();
      expect(await storage.cancelRun('9223372036854775807')).toBe('cancelled');
    } finally {
      await storage.close();
    }
  });
});
