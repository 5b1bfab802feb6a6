import 'reflect-metadata';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, SchedulerService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { BakeryService } from './bakery.service.js';

const database = await provideDatabase();

/** An instance of the bakery; all of them tell each other of their events. */
function boot(name: string, providers: (typeof BakeryService)[]): Promise<INestApplicationContext> {
  const storage = typeOrmStorage({ url: database.url, schema: 'bakery_sample' });
  const options = { storage, name, shareEvents: true, autoStart: providers.length > 0 };

  @Module({ imports: [ChronisModule.forRoot(options)], providers })
  class AppModule {}
  return NestFactory.createApplicationContext(AppModule, { logger: false });
}

const bakery = await boot('bakery', [BakeryService]);
// The office runs nothing. It hears what happens in the bakery.
const office = await boot('office', []);
const overheard = office.get(ChronisEvents).stream(['succeeded', 'failed'], { remote: true });

const scheduler = bakery.get(SchedulerService);
const callbacks = { onSuccess: 'put-on-the-shelf', onFailure: 'call-the-electrician' };
const bake = (what: string, ovenWorksFromAttempt: number) =>
  scheduler.createDateJob({
    id: what,
    handler: 'bake',
    // The cake of an earlier time is still there, as a dead letter.
    onConflict: 'replace',
    in: '100ms',
    payload: { what, ovenWorksFromAttempt },
    maxRetries: 1,
    backoff: '200ms',
    ...callbacks,
  });
for (const [what, attempt] of [
  ['bread', 1],
  ['rolls', 2],
  ['cake', 9],
] as const) {
  await bake(what, attempt);
}

// Three runs, and a callback for each.
let left = 6;
for await (const { name, instance, event } of overheard) {
  console.log(`  office   hears from ${instance}: ${name} ${event.jobId}`);
  if (--left === 0) break;
}

await office.close();
await bakery.close();
await database.stop();
