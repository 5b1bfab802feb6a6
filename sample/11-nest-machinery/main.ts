// Guards, interceptors, filters and pipes around jobs, request scope, schedules from the configuration, and two schedulers in one application.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { getSchedulerToken, SchedulerService } from 'nestjs-chronis';
import { provideDatabase } from '../support/database.js';

const database = await provideDatabase();
const { AppModule } = await import('./app.module.js');
const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
const orders = app.get(SchedulerService);
const reports = app.get<SchedulerService>(getSchedulerToken('reports'));

function say(what: string, ...rest: unknown[]): void {
  console.log(what.padEnd(26), ...rest);
}

async function run(scheduler: SchedulerService, handler: string, payload: string | null, shop = 'none') {
  const id = `${handler}-${payload ?? 'now'}`.replaceAll(' ', '-');
  const job = { id, handler, trigger: { type: 'manual' }, payload, metadata: { shop } } as const;
  await scheduler.createJob({ ...job, onConflict: 'replace' });
  const { id: runId } = await scheduler.runNow(id);
  const { verdict, result, error } = await scheduler.waitForRun<string | number>(runId, { timeout: '10s' });
  return `${verdict}: ${result ?? error!.split('\n')[0]}`;
}

say('scope, interceptors', await run(orders, 'order', 'bread', 'Corner shop'));
say('a basket of its own', await run(orders, 'order', 'rolls', 'Corner shop'));
say('a filter', await run(orders, 'order', 'moon cake', 'Corner shop'));
say('a guard', await run(orders, 'order', 'tart', 'Closed shop'));
say('a pipe', await run(orders, 'restock', '3'));
say('a pipe that refuses', await run(orders, 'restock', 'three'));
say('the other scheduler', await run(reports, 'monthly-report', null));

const declared = async (scheduler: SchedulerService) =>
  (await scheduler.queryJobs({ source: 'code' })).items.map(({ id }) => id).join(', ') || 'none';
say('declared jobs', `of the shop: ${await declared(orders)}; of the reports: ${await declared(reports)}`);
const { sentence } = await reports.previewJob('nightly');
say('from the configuration', sentence);

await app.close();
await database.stop();
