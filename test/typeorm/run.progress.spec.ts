import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireOne,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { findOutdatedSql } from '../../lib/typeorm/sql/find.outdated.sql.js';
import { queryRunsSql } from '../../lib/typeorm/sql/query.runs.sql.js';
import { reportRunProgressSql } from '../../lib/typeorm/sql/report.run.progress.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { planModes, planOf } from '../support/plan.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('progress');
const names = tableNames(schema, '', false);
const client = new pg.Client(databaseUrl());
const retention = { defaultMs: 86_400_000, byVerdict: {} };
let storage: StorageAdapter;

beforeAll(async () => {
  storage = newStorage({ schema });
  await storage.init();
  await client.connect();
}, 60_000);

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const kept = async (): Promise<string[]> => {
  const { rows } = await client.query<{ id: string }>(
    `select run_id::text as id from "${schema}".run_progress order by run_id`,
  );
  return rows.map(({ id }) => id);
};

test('the progress of runs that are not stored any more goes with the janitor, and no other', async () => {
  await addRecurring(storage);
  const over = await fireOne(storage, await startWorker(storage));
  await addOneOff(storage, { id: 'on' });
  const goingOn = await claimOne(storage, await startWorker(storage));
  const at = await storage.now();
  const of = ({ id: runId, fence, worker }: typeof over) => ({
    ...{ runId, fence, worker, attempt: 1, at, fraction: 1 / 3, details: null },
  });
  await storage.runProgress!.report([of(over), of(goingOn)]);
  await settle(storage, over);
  expect(await kept()).toEqual([over.id, goingOn.id]);
  await storage.prune(retention);
  expect(await kept()).toEqual([goingOn.id]);
});

test.each(planModes)('costs what it is asked for, however many runs there are (%s plan)', async (mode) => {
  await client.query(
    `insert into "${schema}".run (nominal_at, priority, keyed, queue, handler, namespace, job_id, origin, fence, attempt)
     select now(), 5, false, 'default', 'work', 'default', 'many-' || n || $1, 'at', 1, 1 from generate_series(1, 20000) n`,
    [mode],
  );
  await client.query(
    `insert into "${schema}".run_progress (run_id, fence, attempt, at, fraction)
     select id, 1, 1, now(), 0.5 from "${schema}".run where job_id like 'many-%' order by id limit 3000 on conflict do nothing`,
  );
  await client.query(`analyze "${schema}".run, "${schema}".run_progress`);
  const page = await planOf(client, queryRunsSql(names, 'true'), [null, 50], mode);
  expect(page.scanned).not.toContain('run_progress');
  expect(page.touched).toBeLessThan(500);
  const { rows } = await client.query<{ id: string }>(
    `select max(id)::text as id from "${schema}".run where job_id like 'many-%'`,
  );
  const report = [null, [rows[0]!.id], [1], ['w'], [1], [Date.now()], [0.5], [null]];
  expect((await planOf(client, reportRunProgressSql(names), report, mode)).touched).toBeLessThan(10);
  const look = [null, 1e9, [], [], 1e9, 1e9, 1e9, null];
  expect((await planOf(client, findOutdatedSql(names), look, mode)).touched).toBeLessThan(10_000);
});
