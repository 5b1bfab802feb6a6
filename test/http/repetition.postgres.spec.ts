import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { HttpApp } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('keys');
const client = new pg.Client(databaseUrl());
let apps: HttpApp[] = [];

const boot = () => {
  const chronis = { log: false as const, autoStart: false, allowUnknownHandler: true };
  const imports = [
    ChronisHttpModule.forRoot({ user: () => ({ id: 'amy' }) }),
    ChronisModule.forRoot({ ...chronis, storage: newStorage({ schema }) }),
  ];
  return HttpApp.boot('express', { imports });
};

beforeAll(async () => {
  await client.connect();
  apps = [await boot(), await boot()];
  await scheduler().createJob({ id: 'job', handler: 'work', every: '1h' });
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});
beforeEach(() => client.query(`delete from "${schema}".run; delete from "${schema}".audit`));

const scheduler = () => apps[0]!.app.get(SchedulerService);
const runNow = (nth: number, key: string) =>
  apps[nth % apps.length]!.send('POST', '/chronis/jobs/job/runs', {
    body: {},
    headers: { 'idempotency-key': key },
  });
const runs = async () => (await scheduler().getRuns({ jobId: 'job' })).items.map(({ id }) => id);
/** What waits for a lock on the audit, and what waits for the first request with the key. */
const waiting = async (kind: 'relation' | 'advisory', count: number): Promise<number[]> => {
  for (;;) {
    const { rows } = await client.query<{ pid: number }>(
      `select l.pid from pg_locks l where not l.granted and l.locktype = $1
         and (l.relation is null or l.relation = '"${schema}".audit'::regclass)`,
      [kind],
    );
    if (rows.length === count) return rows.map(({ pid }) => pid);
  }
};

test('a request that several processes get at once is done once, and each gives the same answer', async () => {
  const tries = await Promise.all(Array.from({ length: 12 }, (_, nth) => runNow(nth, 'at-once')));
  expect(tries.map(({ status }) => status)).toEqual(Array(12).fill(201));
  expect(tries.map(({ json }) => json)).toEqual(Array(12).fill(tries[0]!.json));
  expect(await runs()).toEqual([tries[0]!.json.id]);
  const { rows } = await client.query(`select action, request_key is null as bare from "${schema}".audit`);
  expect(rows).toEqual([{ action: 'runNow', bare: false }]);
});

test('one that is cut off before its commit leaves its key to the next', async () => {
  await client.query(`begin; lock table "${schema}".audit in share mode`);
  const first = runNow(0, 'cut');
  // It has its run, and cannot write its entry.
  const [pid] = await waiting('relation', 1);
  const second = runNow(1, 'cut');
  await waiting('advisory', 1);
  await client.query('select pg_terminate_backend($1)', [pid]);
  await client.query('commit');
  const answers = [await first, await second, await runNow(0, 'cut')];
  const done = answers.filter(({ status }) => status === 201);
  expect(done.length).toBeGreaterThanOrEqual(2);
  expect(await runs()).toHaveLength(1);
  expect(new Set(done.map(({ json }) => json.id))).toEqual(new Set(await runs()));
});

test('without a key nothing is asked and nothing is written for it', async () => {
  const { status } = await apps[0]!.send('POST', '/chronis/jobs/job/runs', { body: {} });
  expect(status).toBe(201);
  const { rows } = await client.query(`select request_key, request from "${schema}".audit`);
  expect(rows).toEqual([{ request_key: null, request: null }]);
});
