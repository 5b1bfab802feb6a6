// A rolling update and a rollback: what becomes of declared jobs while two releases of one application run side by side.
import 'reflect-metadata';
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
import { FirstRelease, SecondRelease } from './releases.js';

const database = await provideDatabase();

/** What the log says as well. */
function tell(changes: ChronisEventMap['jobs.synced']): string {
  const kinds = ['created', 'changed', 'superseded', 'outranked'] as const;
  const ids = (jobs: readonly JobRef[]) => jobs.map(({ id }) => id).join(', ');
  const parts = kinds
    .filter((kind) => changes[kind].length > 0)
    .map((kind) => `${kind}: ${ids(changes[kind])}`);
  return parts.join('; ') || 'nothing has changed';
}

function start(name: string, release: new () => object): Promise<INestApplicationContext> {
  const storage = typeOrmStorage({ url: database.url, schema: 'deploy_sample' });
  const on = {
    'jobs.synced': (event: ChronisEventMap['jobs.synced']) => console.log(`  ${name}: ${tell(event)}`),
  };

  @Module({
    imports: [ChronisModule.forRoot({ storage, lock: typeOrmLock(), app: 'deploys', name, on })],
    providers: [release],
  })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

async function show(app: INestApplicationContext): Promise<void> {
  for (const { id, nextRunAt, runCount } of (await app.get(SchedulerService).queryJobs()).items) {
    console.log(
      `    ${id.padEnd(12)} next at ${nextRunAt?.toISOString().slice(11, 16)} UTC, ran ${runCount} times`,
    );
  }
}

console.log('The first release starts');
const first = await start('release 1', FirstRelease);
const scheduler = first.get(SchedulerService);
const { id } = await scheduler.runNow('clean-up');
await scheduler.waitForRun(id, { timeout: '10s' });
await show(first);

console.log('A rolling update: the second release starts beside it');
const second = await start('release 2', SecondRelease);
await show(second);

console.log('An instance of the first release restarts late');
const late = await start('release 1', FirstRelease);
await show(late);

console.log('Rolled back: the second release goes');
const adopted = late.get(ChronisEvents).once('jobs.synced', ({ changed }) => changed.length > 0);
await second.close();
await first.close();
await adopted;
await show(late);
console.log('  statistics and tidy, which no live process declares any more, are orphaned in ten minutes');

// Leaves nothing behind for the next time.
await late.get(SchedulerService).deleteMany({}, { all: true });
await late.close();
await database.stop();
