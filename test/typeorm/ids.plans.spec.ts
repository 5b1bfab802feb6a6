import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { oneOff, recurring } from '../../lib/testing/laws/fixture.js';
import { countJobs, queryRefs } from '../../lib/typeorm/job.queries.js';
import { queryRuns } from '../../lib/typeorm/record.queries.js';
import { tableNames, type TableNames } from '../../lib/typeorm/sql/table.names.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

const client = new pg.Client(databaseUrl());
let schema: string;
let storage: StorageAdapter;
storageForEachTest('ids', (fresh) => ({ schema, storage } = fresh));

beforeAll(() => client.connect());
afterAll(() => client.end());

type Queries = Parameters<typeof queryRefs>[0];

/** How PostgreSQL would do what is asked by these queries. */
async function planOf(ask: (queries: Queries) => Promise<unknown>): Promise<string> {
  let plan = '';
  const run = async (sql: string, values: unknown[]) => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql}`, [
      null,
      ...values,
    ]);
    plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    return [{ count: 0 }];
  };
  // What comes back is a count, and no job.
  await ask({ run } as unknown as Queries).catch(() => undefined);
  return plan;
}

test('jobs and runs that are named by their ids are found by index', async () => {
  for (let part = 0; part < 4; part++) {
    const ids = Array.from({ length: 500 }, (_, nr) => `${part}-${nr}`);
    const jobs = await Promise.all(ids.map((id) => recurring(storage, { id })));
    const once = await Promise.all(ids.map((id) => oneOff(storage, { id: `once-${id}` })));
    await storage.insertJobs([...jobs, ...once], 'raise');
  }
  const t: TableNames = tableNames(schema, '');
  for (const table of [t.job, t.run, t.cursor, t.job_stat]) await client.query(`vacuum analyze ${table}`);
  const id = Array.from({ length: 100 }, (_, nr) => (nr % 2 ? `0-${nr}` : `once-0-${nr}`));
  const filter = { namespace: 'default', id };
  const plans = [
    await planOf((queries) => queryRefs(queries, t, filter, { limit: 1_000 })),
    await planOf((queries) => countJobs(queries, t, filter)),
    await planOf((queries) => queryRuns(queries, t, { runId: id.map((_, nr) => `${nr}`) }, { limit: 500 })),
  ];
  for (const plan of plans) {
    expect(plan).toMatch(/run_\w+/);
    expect(plan).not.toMatch(/Seq Scan on (job|run)\b/);
  }
  expect(plans[0]).toMatch(/Index (Only )?Scan using job_\w+ on job|Bitmap Index Scan on job_\w+/);
});
