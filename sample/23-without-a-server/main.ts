// Jobs that outlast their process without a server: in a file that people can read, and in a SQLite database.
import 'reflect-metadata';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisModule,
  JobHandler,
  SchedulerService,
  StorageInUseError,
  type AdapterRecipe,
  type StorageAdapter,
} from 'nestjs-chronis';
import { fileStorage } from 'nestjs-chronis/file';
import { sqliteStorage } from 'nestjs-chronis/sqlite';

class Greetings {
  @JobHandler('greet')
  greet({ payload }: { payload: unknown }): string {
    return `Hello, ${String(payload)}`;
  }
}

/** The application, as each start makes it. */
async function start(storage: AdapterRecipe<StorageAdapter>): Promise<INestApplicationContext> {
  @Module({ imports: [ChronisModule.forRoot({ storage, log: false })], providers: [Greetings] })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
}

const folder = mkdtempSync(join(tmpdir(), 'without-a-server-'));
const yaml = join(folder, 'jobs.yaml');

/** A storage on the file, which is another one each time, as another process would have it. */
function another(name: string): AdapterRecipe<StorageAdapter> {
  return name === 'jobs.yaml' ? fileStorage({ path: yaml }) : sqliteStorage({ path: join(folder, name) });
}

for (const name of ['jobs.yaml', 'jobs.db']) {
  console.log(`${name}: a job is made, and runs.`);
  const first = await start(another(name));
  const scheduler = first.get(SchedulerService);
  await scheduler.createJob({ id: 'daily', handler: 'greet', payload: 'Grace', cron: '0 9 * * *' });
  const { id } = await scheduler.schedule('greet', { payload: 'Ada', in: 0, keep: '1h' });
  const [run] = (await scheduler.getRuns({ jobId: id })).items;
  console.log(`  ${JSON.stringify((await scheduler.waitForRun(run!.id)).result)}`);

  const refused = await start(another(name)).catch((error: unknown) => error);
  console.log(`  Another one is refused: ${refused instanceof StorageInUseError ? 'it is in use' : 'no'}`);
  await first.close();

  console.log('  After a restart everything is there:');
  const second = await start(another(name));
  const { items } = await second.get(SchedulerService).queryJobs();
  for (const job of items)
    console.log(`  ${job.id.slice(0, 8)} ${job.state.padEnd(10)} ${job.nextRunAt?.toISOString() ?? ''}`);
  const attempts = (await second.get(SchedulerService).getAttempts()).items;
  for (const { outcome, result } of attempts) console.log(`  ${outcome} ${JSON.stringify(result)}`);
  await second.close();
}

console.log('jobs.yaml begins with:');
console.log(readFileSync(yaml, 'utf8').split('\n').slice(0, 14).join('\n'));
rmSync(folder, { recursive: true });
