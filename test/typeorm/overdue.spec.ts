import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { recurring } from '../../lib/testing/laws/fixture.js';
import { noteOverdueSql } from '../../lib/typeorm/sql/note.overdue.sql.js';
import { queryOverdueSql } from '../../lib/typeorm/sql/query.overdue.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

const client = new pg.Client(databaseUrl());
let schema: string;
let storage: StorageAdapter;
storageForEachTest('overdue', (fresh) => ({ schema, storage } = fresh));

beforeAll(() => client.connect());
afterAll(() => client.end());

test.each([
  ['queryOverdue', queryOverdueSql, [null, 10, null]],
  ['noteOverdue', noteOverdueSql, [null, 10]],
] as const)('%s reads the jobs that say lateAfter, and no others', async (_, sql, values) => {
  const made = await Promise.all(
    Array.from({ length: 2_000 }, (__, nth) =>
      recurring(storage, {
        id: `job${nth}`,
        dueInMs: -3_600_000,
        policies: nth % 200 === 0 ? { lateAfterMs: 60_000 } : {},
      }),
    ),
  );
  for (let from = 0; from < made.length; from += 500)
    await storage.insertJobs(made.slice(from, from + 500), 'raise');
  const t = tableNames(schema, '');
  for (const table of [t.job, t.cursor, t.run, t.overdue]) await client.query(`analyze ${table}`);
  await client.query('begin');
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, costs off, timing off) ${sql(t)}`,
    [...values],
  );
  await client.query('rollback');
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/job_late/);
  expect(plan).not.toMatch(/Seq Scan on (job|cursor|run)\b/);
  // Each is looked up by itself.
  expect(plan).toMatch(/cursor_pkey on cursor c\D.* loops=10\)/);
  expect((await storage.overdue!.queryOverdue(100)).jobs).toHaveLength(10);
});
