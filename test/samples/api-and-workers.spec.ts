import { readFileSync } from 'node:fs';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChronisEvents, SchedulerService } from '../../lib/index.js';
import { ApiModule } from '../../sample/15-api-and-workers/api.module.js';
import { runReport } from '../../sample/15-api-and-workers/report.js';
import { SendReceipt } from '../../sample/15-api-and-workers/shop.jobs.js';
import { WorkerModule } from '../../sample/15-api-and-workers/worker.module.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const apps: INestApplication[] = [];
const before = { ...process.env };

beforeEach(() => {
  Object.assign(process.env, { DATABASE_URL: databaseUrl(), SCHEMA: freshSchema('split') });
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  process.env = { ...before };
});

async function start(module: Type): Promise<{ app: INestApplication; url: string }> {
  const app = await NestFactory.create(module, { logger: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

async function post(url: string, body: object = {}): Promise<[status: number, body: unknown]> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
}

test('the API takes orders and reports before the first worker, which runs them, and while none is there', async () => {
  const api = await start(ApiModule);
  expect(await post(`${api.url}/orders`, { order: '7' })).toEqual([201, { job: 'receipt-7' }]);
  const [status, { run }] = (await post(`${api.url}/reports/daily-report`)) as [number, { run: string }];
  expect(status).toBe(202);

  const worker = await NestFactory.create(WorkerModule, { logger: false });
  apps.push(worker);
  const events = worker.get(ChronisEvents);
  const receipt = events.once('run.succeeded', ({ jobId }) => jobId === 'receipt-7');
  const report = events.once('run.succeeded', ({ runId }) => runId === run);
  await worker.listen(0, '127.0.0.1');
  await Promise.all([receipt, report]);
  expect(await runReport('daily-report')).toBe('succeeded');

  await worker.close();
  expect(await post(`${api.url}/orders`, { order: '8' })).toEqual([201, { job: 'receipt-8' }]);
});

test('all of them may start at once on an empty schema', async () => {
  const modules = [ApiModule, WorkerModule, ApiModule, WorkerModule, ApiModule, WorkerModule];
  const [{ app }] = (await Promise.all(modules.map(start))) as [Awaited<ReturnType<typeof start>>];
  const job = await app.get(SchedulerService).getJob('daily-report');
  expect(job).toMatchObject({ state: 'pending', orphanedAt: null });
  expect(job!.nextRunAt!.getTime()).toBeGreaterThan(Date.now());
});

describe('what the guide has wake workers from zero', () => {
  const guide = readFileSync(new URL('../../docs/guides/api-and-workers.md', import.meta.url), 'utf8');
  const text = /```sql\n([\s\S]*?)```/.exec(guide)![1]!;
  let client: pg.Client;
  let scheduler: SchedulerService;

  beforeEach(async () => {
    client = new pg.Client(databaseUrl());
    await client.connect();
    scheduler = (await start(ApiModule)).app.get(SchedulerService);
    // It would count at its time of day.
    await scheduler.pauseJob('daily-report');
  });
  afterEach(() => client.end());

  async function due(): Promise<number> {
    const { rows } = await client.query(text.replaceAll('chronis.', `"${process.env.SCHEMA}".`));
    return Number(Object.values(rows[0] as object)[0]);
  }

  test('counts what is due', async () => {
    expect(await due()).toBe(0);
    await scheduler.schedule(SendReceipt, { payload: { order: '1' }, in: 0 });
    await scheduler.schedule(SendReceipt, { payload: { order: '2' }, in: '1h' });
    await scheduler.schedule(SendReceipt, { payload: { order: '3' }, every: '30s' });
    await scheduler.schedule(SendReceipt, { payload: { order: '4' }, every: '1h' });
    expect(await due()).toBe(2);
  });

  test('leaves out what is paused, by itself or by its handler, until it is resumed', async () => {
    const oneOff = await scheduler.schedule(SendReceipt, { payload: { order: '1' }, in: 0 });
    const often = await scheduler.schedule(SendReceipt, { payload: { order: '2' }, every: '30s' });
    await scheduler.schedule(SendReceipt, { payload: { order: '3' }, in: 0 });
    expect(await due()).toBe(3);
    for (const { id } of [oneOff, often]) await scheduler.pauseJob(id);
    expect(await due()).toBe(1);
    await scheduler.pause({ handler: 'send-receipt' });
    for (const { id } of [oneOff, often]) await scheduler.resumeJob(id);
    expect(await due()).toBe(0);
    await scheduler.resume({ handler: 'send-receipt' });
    expect(await due()).toBe(3);
  });

  test('counts a run that goes on, also when its handler is paused or its worker was killed, until it has ended', async () => {
    const worker = newStorage({ schema: process.env.SCHEMA, migrate: 'check' });
    await worker.init();
    try {
      await scheduler.schedule(SendReceipt, { payload: { order: '1' }, in: 0 });
      const job = (await scheduler.queryJobs({ handler: 'send-receipt' })).items[0]!;
      const seat = { workerId: 'w', app: job.app!, queues: [job.queue], handlers: [job.handler] };
      const about = { generation: null, host: 'h', pid: 1, version: '0', zoneData: '2026a', retention: null };
      await worker.register({ id: 'w', name: 'w', ...about, ...seat }, 60_000);
      expect((await worker.claim(seat, 10)).runs).toHaveLength(1);
      expect(await due()).toBe(1);
      await scheduler.pause({ handler: 'send-receipt' });
      expect(await due()).toBe(1);
      await scheduler.resume({ handler: 'send-receipt' });
      await client.query(
        `update "${process.env.SCHEMA}".worker set lease_until = now() - interval '1 hour' where id = 'w'`,
      );
      expect(await due()).toBe(1);
      const app = await NestFactory.create(WorkerModule, { logger: false });
      apps.push(app);
      const succeeded = app.get(ChronisEvents).once('run.succeeded', ({ jobId }) => jobId === job.id);
      await app.listen(0, '127.0.0.1');
      await succeeded;
      expect(await due()).toBe(0);
    } finally {
      await worker.close();
    }
  });
});

test('both answer probes: an API is ready without a lease, a worker by its lease', async () => {
  const [api, worker] = [await start(ApiModule), await start(WorkerModule)];
  for (const { url } of [api, worker]) {
    expect(await (await fetch(`${url}/livez`)).text()).toBe('ok');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  }
  const health = async ({ url }: { url: string }): Promise<unknown> => (await fetch(`${url}/readyz`)).json();
  expect(await health(api)).toMatchObject({ healthy: true, state: 'idle', lease: null });
  expect(await health(worker)).toMatchObject({
    state: 'working',
    storage: { kind: 'postgres', answers: true },
  });
});
