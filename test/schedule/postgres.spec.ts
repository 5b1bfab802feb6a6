import { Inject, Module, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, expect, test, vi } from 'vitest';
import { ChronisEvents, SchedulerService } from '../../lib/index.js';
import {
  Cron,
  CronExpression,
  Interval,
  ScheduleModule,
  SchedulerRegistry,
} from '../../lib/schedule/index.js';
import { typeOrmStorage, type TypeOrmServer } from '../../lib/typeorm/index.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

class Jobs {
  @Cron(CronExpression.EVERY_SECOND, { name: 'second', timeZone: 'Asia/Seoul' })
  second(): void {}

  @Interval('pulse', 1_000)
  pulse(): void {}

  @Cron('0 9 * * 1-5', { name: 'morning', utcOffset: 540 })
  morning(): void {}
}

/** Cleans up as many applications do. */
class Cleaner {
  constructor(@Inject(SchedulerRegistry) private readonly registry: SchedulerRegistry) {}

  onModuleDestroy(): void {
    for (const [name, job] of this.registry.getCronJobs()) {
      void job.stop();
      this.registry.deleteCronJob(name);
    }
    for (const name of this.registry.getIntervals()) this.registry.deleteInterval(name);
  }
}

const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** One of the processes; with the application's own DataSource instead of a URL if it has one. */
async function boot(schema: string, connection: TypeOrmServer, more: Type[] = []) {
  const database = TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl() });
  const storage = typeOrmStorage({ schema, ...connection });

  @Module({
    imports: [
      ...('dataSource' in connection ? [database] : []),
      ScheduleModule.forRoot({ distributed: { storage } }),
    ],
    providers: [Jobs, ...more],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  closing.push(() => app.close());
  return app;
}

/** Who ran the cron of each second, as it happens. */
function listen(apps: Record<string, INestApplicationContext>) {
  const ran: { name: string; at: number }[] = [];
  for (const [name, app] of Object.entries(apps)) {
    app.get(ChronisEvents).on('run.succeeded', ({ jobId, nominalAt }) => {
      if (jobId === 'second') ran.push({ name, at: nominalAt.getTime() });
    });
  }
  return ran;
}

test('distributed on PostgreSQL, each due instant runs once, and a handle stops its own process only', async () => {
  const schema = freshSchema('dropin');
  const first = await boot(schema, { url: databaseUrl() });
  const second = await boot(schema, { dataSource: getDataSourceToken() });
  const ran = listen({ first, second });
  await vi.waitUntil(() => ran.length >= 3, 20_000);
  const scheduler = first.get(SchedulerService);
  await second.get(SchedulerRegistry).getCronJob('second').stop();
  second.get(SchedulerRegistry).deleteInterval('pulse');
  const seen = ran.length;
  await vi.waitUntil(() => ran.length >= seen + 4, 20_000);
  // What was going on at the stop may have ended after it.
  expect(ran.slice(seen + 1).map(({ name }) => name)).not.toContain('second');
  expect(await scheduler.getJob('second')).toMatchObject({ source: 'code', handler: 'second', paused: null });
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

test('on PostgreSQL, where all have stopped a cron it stands still, and goes on with the next instant', async () => {
  const schema = freshSchema('dropin');
  const first = await boot(schema, { url: databaseUrl() });
  const second = await boot(schema, { url: databaseUrl() });
  const ran = listen({ first, second });
  await vi.waitUntil(() => ran.length >= 1, 20_000);
  const handles = [first, second].map((app) => app.get(SchedulerRegistry).getCronJob('second'));
  for (const handle of handles) await handle.stop();
  const stoppedAt = Date.now();
  const scheduler = first.get(SchedulerService);
  let pulses = 0;
  for (const app of [first, second]) {
    app.get(ChronisEvents).on('run.succeeded', ({ jobId }) => void (pulses += Number(jobId === 'pulse')));
  }
  await vi.waitUntil(() => pulses >= 4, 20_000);
  const startedAt = Date.now();
  await handles[0]!.start();
  await vi.waitUntil(() => ran.some(({ at }) => at > startedAt), 20_000);
  // One that was due at the moment of the stop may still have begun.
  expect(ran.filter(({ at }) => at > stoppedAt + 1_000 && at < startedAt)).toEqual([]);
  const { items } = await scheduler.getGaps({ jobId: 'second' });
  expect(items.map(({ verdict, reason }) => [verdict, reason])).toContainEqual(['paused', 'withdrawn']);
  expect(await scheduler.countJobs({ state: 'paused' })).toBe(0);
});

test('on PostgreSQL, a rolling deploy whose hooks stop and delete everything does not miss an instant', async () => {
  const schema = freshSchema('dropin');
  const old = await boot(schema, { url: databaseUrl() }, [Cleaner]);
  const ran = listen({ old });
  await vi.waitUntil(() => ran.length >= 2, 20_000);
  const next = await boot(schema, { url: databaseUrl() }, [Cleaner]);
  const taken = listen({ next });
  await old.close();
  const closedAt = Date.now();
  await vi.waitUntil(() => taken.some(({ at }) => at > closedAt + 3_000), 20_000);
  const instants = [...ran, ...taken].map(({ at }) => at).toSorted((a, b) => a - b);
  const steps = instants.slice(1).map((at, i) => at - instants[i]!);
  expect(steps.every((step) => step === 1_000)).toBe(true);
  expect(await next.get(SchedulerService).countJobs({ state: 'paused' })).toBe(0);
});
