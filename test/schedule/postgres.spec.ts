import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, expect, test } from 'vitest';
import { ChronisEvents, SchedulerService } from '../../lib/index.js';
import {
  Cron,
  CronExpression,
  Interval,
  ScheduleModule,
  SchedulerRegistry,
} from '../../lib/schedule/index.js';
import { typeOrmStorage, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

class Jobs {
  @Cron(CronExpression.EVERY_SECOND, { name: 'second', timeZone: 'Asia/Seoul' })
  second(): void {}

  @Interval('pulse', 1_000)
  pulse(): void {}

  @Cron('0 9 * * 1-5', { name: 'morning', utcOffset: 540 })
  morning(): void {}
}

const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** One of the processes; with the application's own DataSource instead of a URL if it has one. */
async function boot(schema: string, connection: Partial<TypeOrmStorageOptions>) {
  const database = TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl() });
  const storage = typeOrmStorage({ schema, ...connection } as TypeOrmStorageOptions);

  @Module({
    imports: [
      ...('dataSource' in connection ? [database] : []),
      ScheduleModule.forRoot({ distributed: { storage } }),
    ],
    providers: [Jobs],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  closing.push(() => app.close());
  return app;
}

test('distributed on PostgreSQL, each due instant runs once, and a handle acts on the job of all processes', async () => {
  const schema = freshSchema('dropin');
  const first = await boot(schema, { url: databaseUrl() });
  const second = await boot(schema, { dataSource: getDataSourceToken() });
  let runs = 0;
  await Promise.race(
    [first, second].map((app) => app.get(ChronisEvents).once('run.succeeded', () => ++runs >= 6)),
  );
  const scheduler = first.get(SchedulerService);
  await second.get(SchedulerRegistry).getCronJob('second').stop();
  expect(await scheduler.getJob('second')).toMatchObject({ source: 'code', handler: 'second' });
  expect((await scheduler.getJob('second'))?.paused).not.toBeNull();
  expect((await scheduler.getJob('morning'))?.trigger).toMatchObject({
    ...{ expression: '0 0 9 * * 1-5', timeZone: 'Etc/GMT-9' },
  });
  for (const jobId of ['second', 'pulse']) {
    const { items } = await scheduler.getAttempts({ jobId });
    const instants = items.map(({ nominalAt }) => nominalAt.getTime());
    expect(instants.length).toBeGreaterThan(0);
    expect(new Set(instants).size).toBe(instants.length);
  }
});
