import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { SchedulerService } from 'nestjs-chronis';
import { provideDatabase } from '../support/database.js';
import { AppModule } from './app.module.js';

const database = await provideDatabase();
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const scheduler = app.get(SchedulerService);

function say(what: string, ...rest: unknown[]): void {
  console.log(what.padEnd(34), ...rest);
}

/** Leaves nothing behind from an earlier time. */
await scheduler.deleteMany({}, { all: true });

const job = await scheduler.schedule('water', { id: 'roses', in: '1h', payload: { bed: 'the rose bed' } });
say('schedule', job.id, 'at', job.nextRunAt?.toISOString());
const run = await scheduler.runNow('roses');
const { verdict, result } = await scheduler.waitForRun<string>(run.id, { timeout: '10s' });
say('runNow and waitForRun', verdict, `"${result}"`);

const beds = Array.from({ length: 2_000 }, (_, nth) => ({
  handler: nth === 1_234 ? 'wtaer' : 'water',
  id: `bed-${nth}`,
  in: '1d',
  payload: { bed: `bed ${nth}` },
  metadata: { house: nth % 2 === 0 ? 'north' : 'south' },
}));
const results = await scheduler.createMany(beds);
const created = results.filter(({ status }) => status === 'created').length;
const rejected = results.findIndex(({ status }) => status === 'rejected');
say('createMany', `${created} created, item ${rejected} rejected`);

const daily = {
  id: 'harvest',
  handler: 'count-harvest',
  cron: '0 18 * * *',
  exclude: [{ weekdays: ['sun'] }],
};
for (let time = 0; time < 2; time++) say('upsert', (await scheduler.upsert(daily)).status);
const { sentence, occurrences } = await scheduler.previewJob('harvest', { count: 3 });
const next = occurrences.filter(({ excluded }) => excluded === 0);
say('previewJob', `${sentence}:`, next.map(({ wallTime }) => wallTime.slice(5, 16)).join(', '));

const week = ['2026-01-05 00:00', '2026-01-12 00:00'] as const;
const { created: planned } = await scheduler.backfill('harvest', ...week, {
  dryRun: true,
  includeSucceeded: true,
});
const { runIds } = await scheduler.backfill('harvest', ...week, { includeSucceeded: true });
say('backfill', `${planned} runs planned, ${runIds.length} created`);
for (const runId of runIds) say('', (await scheduler.waitForRun(runId)).result);

const north = { 'metadata.house': 'north' };
say('pauseMany, a dry run', (await scheduler.pauseMany(north, { dryRun: true })).matched, 'jobs');
say('pauseMany', (await scheduler.pauseMany(north, { reason: 'frost', by: 'gardener' })).changed, 'paused');
say('deleteMany', (await scheduler.deleteMany({ state: 'paused' })).changed, 'deleted');
say('left', await scheduler.countJobs(), 'jobs');

await app.close();
await database.stop();
