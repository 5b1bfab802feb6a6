import 'reflect-metadata';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import pg from 'pg';
import { provideDatabase } from '../support/database.js';

const database = await provideDatabase();
const client = new pg.Client(database.url);
await client.connect();
await client.query(`
  create schema if not exists durable_sample;
  create table if not exists durable_sample.payment (order_id text, amount int);
  truncate durable_sample.payment`);

/** A client only: it creates orders and approves them, the worker runs them. */
@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: database.url, schema: 'durable_sample' }),
      app: 'durable-sample',
      autoStart: false,
      log: false,
    }),
  ],
})
class ClientModule {}

const done = new Map<string, number>();
let worker: ChildProcess;
let isKilled = false;

async function startWorker(): Promise<void> {
  worker = fork(new URL('./worker.js', import.meta.url));
  await new Promise<void>((resolve) => {
    worker.on('message', (message: 'ready' | { order: string; what: string }) => {
      if (message === 'ready') return resolve();
      const { order, what } = message;
      console.log(`  ${order}: ${what}`);
      done.set(`${order}: ${what}`, (done.get(`${order}: ${what}`) ?? 0) + 1);
      if (order !== 'table' || what !== 'ship' || isKilled) return;
      isKilled = true;
      console.log('  … and its process is killed in the middle of that (kill -9); another one is started');
      worker.kill('SIGKILL');
      void startWorker();
    });
  });
}

const app = await NestFactory.createApplicationContext(ClientModule, { logger: ['error', 'warn'] });
const scheduler = app.get(SchedulerService);
await startWorker();

const runs = new Map<string, string>();
for (const [order, amount] of [
  ['table', 300],
  ['chair', 80],
] as const) {
  const { id } = await scheduler.schedule('order', { in: '0s', payload: { order, amount }, keep: '1m' });
  runs.set(order, (await scheduler.getRuns({ jobId: id })).items[0]!.id);
}
for (const [order, runId] of runs) {
  // Also one that comes before the order waits for it is kept.
  await scheduler.signal(runId, 'approved', { by: 'the boss' });
  console.log(`  ${order}: approved`);
}
for (const [order, runId] of runs) {
  const { verdict, result } = await scheduler.waitForRun(runId, { timeout: '40s' });
  console.log(`\n${order}: ${verdict}, ${JSON.stringify(result)}`);
  const steps = await scheduler.getRunSteps(runId);
  console.table(
    steps.map(({ name, kind, state, attempt, failures }) => ({ name, kind, state, attempt, failures })),
  );
}
const { rows } = await client.query(
  'select order_id as order, array_agg(amount order by amount desc) as payments from durable_sample.payment group by 1 order by 1 desc',
);
console.log('\nPayments, each written once, whatever died when:');
console.table(rows);
console.log('What the shop was asked for, how often:');
console.table(Object.fromEntries(done));

worker!.kill('SIGTERM');
await once(worker!, 'exit');
await app.close();
await client.end();
await database.stop();
