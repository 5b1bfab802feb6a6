import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listBulkActionsSql } from '../../lib/typeorm/sql/bulk.actions.sql.js';
import { forgetBulkActionsSql } from '../../lib/typeorm/sql/forget.bulk.actions.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

const client = new pg.Client(databaseUrl());
let schema: string;
storageForEachTest('bulk_actions', (fresh) => ({ schema } = fresh));

beforeAll(() => client.connect());
afterAll(() => client.end());

test.each([
  ['listed', listBulkActionsSql, [null, null, 100]],
  ['forgotten', forgetBulkActionsSql, [null, 0, 100, [], true]],
] as const)('bulk actions are %s by their index', async (_, sql, values) => {
  const t = tableNames(schema, '');
  await client.query(
    `insert into ${t.bulk_action} (id, action, filter, expected, asked, owner, lease_until, created_at)
     select 'id-' || nr, 'pause', '{}', 1, 'sum', 'one', now(), now() - nr * interval '1 second' from generate_series(1, 5000) nr`,
  );
  await client.query(`analyze ${t.bulk_action}`);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (costs off) ${sql(t)}`, [...values]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/bulk_action_time/);
  expect(plan).not.toMatch(/Seq Scan on bulk_action/);
});
