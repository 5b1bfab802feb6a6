// Two roles of one application, a canary that is taken back, and a rolling update: what becomes of declared jobs.
import 'reflect-metadata';
import { isDeepStrictEqual } from 'node:util';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  SchedulerService,
  type ChronisEventMap,
  type JobRef,
} from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { NextWorkerJobs, WebJobs, WorkerJobs } from './releases.js';

const database = await provideDatabase();

/** What the log says as well. */
function tell(event: ChronisEventMap['jobs.synced']): string {
  const kinds = ['created', 'changed', 'superseded', 'outranked', 'changedAtRunTime'] as const;
  const ids = (jobs: readonly JobRef[]) => jobs.map(({ id }) => id).join(', ');
  const parts = kinds.filter((kind) => event[kind].length > 0).map((kind) => `${kind}: ${ids(event[kind])}`);
  return parts.join('; ') || 'nothing has changed';
}

function start(name: string, jobs: new () => object): Promise<INestApplicationContext> {
  const storage = typeOrmStorage({ url: database.url, schema: 'deploy_sample' });
  const on = {
    'jobs.synced': (event: ChronisEventMap['jobs.synced']) => console.log(`  ${name}: ${tell(event)}`),
  };

  @Module({
    imports: [ChronisModule.forRoot({ storage, lock: typeOrmLock(), app: 'deploys', name, on })],
    providers: [jobs],
  })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

/** What is stored must be what this page promises: job by job its next time of the day, or its state if it has none. */
async function show(wanted: Record<string, string>): Promise<void> {
  const found: Record<string, string> = {};
  for (const { id, trigger, state, runCount } of (await scheduler.queryJobs()).items) {
    const when = trigger.type === 'cron' ? `at ${trigger.expression}` : 'every now and then';
    found[id] = state === 'orphaned' ? 'does not fire' : when;
    console.log(`    ${id.padEnd(12)} ${found[id]}, ran ${runCount} times`);
  }
  if (!isDeepStrictEqual(found, wanted)) throw new Error(`This should have been ${JSON.stringify(wanted)}.`);
}

/** Resolves when an instance that never restarted has followed. */
function followed(app: INestApplicationContext): Promise<unknown> {
  return app.get(ChronisEvents).once('jobs.synced', ({ changed }) => changed.length > 0);
}

const often = 'every now and then';
const release1 = {
  archive: 'at 0 0 * * *',
  'clean-up': often,
  report: 'at 0 9 * * *',
  'warm-cache': often,
};
const release2 = {
  archive: 'at 0 0 * * *',
  report: 'at 30 7 * * *',
  statistics: often,
  tidy: often,
  'warm-cache': often,
};

console.log(
  'Two roles of the first release start: each declares its own jobs, and has no say about those of the other',
);
const web = await start('web', WebJobs);
const scheduler = web.get(SchedulerService);
const worker = await start('worker', WorkerJobs);
const { id } = await scheduler.runNow('clean-up');
await scheduler.waitForRun(id, { timeout: '10s' });
await show(release1);

console.log('A canary of the next release starts beside them: what appeared last holds');
const canary = await start('canary', NextWorkerJobs);
await show(release2);

console.log(
  'It is taken back: the worker, which never restarted, has its jobs again, with what they had counted',
);
const back = followed(worker);
await canary.close();
await back;
await show({ ...release1, statistics: often });
console.log('  statistics, which no live process declares any more, is orphaned in ten minutes');

console.log('A rolling update: the next release comes, and an instance of the first one restarts late');
const next = await start('next worker', NextWorkerJobs);
await worker.close();
const late = await start('late worker', WorkerJobs);
await show(release2);
await late.close();

console.log('A change at run time lies over what the code says');
await scheduler.updateJob('report', { cron: '0 6 * * *' }, { by: 'ada' });
await show({ ...release2, report: 'at 0 6 * * *' });
const restarted = await start('another worker', NextWorkerJobs);
await scheduler.resetJob('report');
await show(release2);

// Leaves nothing behind for the next time.
await scheduler.deleteMany({}, { all: true });
for (const app of [restarted, next, web]) await app.close();
await database.stop();
