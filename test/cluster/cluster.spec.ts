import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const seconds = 15;
const oneOffs = 300;

describe('three processes on one PostgreSQL', () => {
  const schema = freshSchema('cluster');
  const url = databaseUrl();
  let client: pg.Client;
  let stoppedAt: Date;

  beforeAll(async () => {
    client = new pg.Client(url);
    await client.connect();
    await runCluster();
  }, 300_000); // Only what hangs gets there.

  afterAll(async () => {
    await client.query(`drop schema if exists "${schema}" cascade`);
    await client.end();
  });

  async function runCluster(): Promise<void> {
    const folder = compiledTests();
    const workers = await Promise.all(
      [1, 2, 3].map(() => startWorker(join(folder, 'test/cluster/paced.worker.js'))),
    );
    await createOneOffs();
    // Real processes need real time; nothing below depends on how much of it passes.
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    ({
      rows: [{ now: stoppedAt }],
    } = await client.query<{ now: Date }>('select now()'));
    for (const worker of workers) worker.kill('SIGTERM');
    const exited = workers.map(
      async (worker) => worker.exitCode ?? worker.signalCode ?? (await once(worker, 'exit')),
    );
    expect(await Promise.all(exited)).toHaveLength(3);
  }

  async function startWorker(file: string): Promise<ChildProcess> {
    const worker = fork(file, { env: { ...process.env, DATABASE_URL: url, SCHEMA: schema }, execArgv: [] });
    const [message] = (await once(worker, 'message')) as [unknown];
    expect(message).toBe('ready');
    return worker;
  }

  async function createOneOffs(): Promise<void> {
    const storage = typeOrmStorage({ url, schema });
    @Module({
      imports: [
        ChronisModule.forRoot({ storage, lock: typeOrmLock(), app: 'cluster-test', autoStart: false }),
      ],
    })
    class CreatorModule {}
    const app = await NestFactory.createApplicationContext(CreatorModule, { logger: ['error'] });
    const scheduler = app.get(SchedulerService);
    const soon = Date.now() + 500;
    await Promise.all(
      Array.from({ length: oneOffs }, (_, i) =>
        scheduler.createDateJob({ id: `one-off-${i}`, handler: 'one-off', runAt: new Date(soon + i * 30) }),
      ),
    );
    await app.close();
  }

  test('every instant of thirty jobs at one-second pace ran exactly once, none is missing', async () => {
    const { rows } = await client.query<{
      job_id: string;
      instants: number;
      verdicts: number;
      span: number;
    }>(`
      select job_id, count(distinct nominal_at)::int as instants, count(*)::int as verdicts,
             (extract(epoch from max(nominal_at) - min(nominal_at)) + 1)::int as span
      from "${schema}".attempt where final and job_id not like 'one-off-%' group by job_id`);
    expect(rows).toHaveLength(30);
    for (const row of rows) {
      expect(row, row.job_id).toMatchObject({ instants: row.span, verdicts: row.span });
      expect(row.span, row.job_id).toBeGreaterThanOrEqual(seconds - 2);
    }
  });

  test('no instant was missed, skipped or left over', async () => {
    const gaps = await client.query(`select * from "${schema}".gap`);
    expect(gaps.rows).toEqual([]);
    // What fell due while all of them were told to stop waits for the next that starts; nobody has it.
    const left = await client.query(
      `select * from "${schema}".run
       where origin <> 'reserved' and verdict is null and (worker is not null or due_at < $1::timestamptz - interval '1 second')`,
      [stoppedAt],
    );
    expect(left.rows).toEqual([]);
  });

  test('each of three hundred one-offs ran exactly once', async () => {
    const { rows } = await client.query<{ jobs: number; verdicts: number; outcomes: string[] }>(`
      select count(distinct job_id)::int as jobs, count(*)::int as verdicts, array_agg(distinct outcome) as outcomes
      from "${schema}".attempt where final and job_id like 'one-off-%'`);
    expect(rows).toEqual([{ jobs: oneOffs, verdicts: oneOffs, outcomes: ['succeeded'] }]);
  });

  test('more than one process took part', async () => {
    const { rows } = await client.query(`select distinct worker from "${schema}".attempt`);
    expect(rows.length).toBeGreaterThan(1);
  });
});
