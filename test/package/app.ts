// The application that the packed tarball is tried with: compiled against the installed types, run as a process.
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ChronisEvents,
  ChronisModule,
  Interval,
  JobHandler,
  SchedulerService,
  type RunContext,
} from 'nestjs-chronis';
import { ChronisTesting } from 'nestjs-chronis/testing';
import {
  CronExpression,
  Cron as LocalCron,
  ScheduleModule,
  SchedulerRegistry,
} from 'nestjs-chronis/schedule';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';
import { tryLifecycle } from './lifecycle.js';
import { tryMachinery } from './machinery.js';

@Injectable()
class ReportService {
  ticks = 0;

  @Interval('1s')
  tick(): void {
    this.ticks++;
  }

  @LocalCron(CronExpression.EVERY_SECOND, { name: 'local' })
  local(): void {}

  @JobHandler('greet')
  greet({ payload }: RunContext<{ name: string }>): string {
    return `Hello ${payload.name}`;
  }
}

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL;
  const schema = process.env.SCHEMA ?? 'chronis';

  @Module({
    imports: [
      ScheduleModule.forRoot(),
      ChronisModule.forRoot({
        ...(url ? { storage: typeOrmStorage({ url, schema }), lock: typeOrmLock() } : {}),
        on: { 'beat.unavailable': ({ error }) => fail(error) },
      }),
    ],
    providers: [ReportService],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  const events = app.get(ChronisEvents);
  const ticked = events.once('run.succeeded', (run) => run.handler === 'ReportService.tick');
  const greeted = events.once('run.succeeded', (run) => run.handler === 'greet');
  const scheduler = app.get(SchedulerService);
  await scheduler.createDateJob({ handler: 'greet', runAt: new Date(), payload: { name: 'Ada' } });
  // Optional peers that are not installed here are asked for by name, and for nothing else.
  class Dto {}
  let told = '';
  try {
    scheduler.registerHandler('dto', () => undefined, { schema: Dto });
  } catch (error) {
    told = String(error);
  }
  if (!told.includes('npm install class-validator class-transformer')) throw new Error(`Not told: ${told}`);
  await Promise.all([ticked, greeted]);
  if (app.get(ReportService).ticks < 1) throw new Error('The interval did not run.');
  const local = app.get(SchedulerRegistry).getCronJob('local');
  if (local.nextDate().toMillis() <= Date.now() - 1_000)
    throw new Error('The cron of the drop-in has no next date.');
  await app.close();
  // @ts-expect-error Where neither the types of luxon nor the package `cron` are installed, it has a type all the same.
  if (local.isActiv !== undefined) throw new Error('There is no such property.');
  if (local.isActive) throw new Error('The cron of the drop-in goes on after the end.');
  await underTest();
  await tryMachinery((name) =>
    url ? { storage: typeOrmStorage({ url, schema: `${schema}_${name}` }), lock: typeOrmLock() } : {},
  );
  if (!url) await tryLifecycle();
  console.log(`ran on ${url ? 'postgres' : 'memory'}`);
}

/** The door for tests, on a clock that stands still. */
async function underTest(): Promise<void> {
  const chronis = await ChronisTesting.create({ providers: [ReportService] });
  const executions = await chronis.advanceBy('1m');
  if (executions.length !== 60) throw new Error(`A minute had ${executions.length} runs.`);
  await chronis.close();
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

main().catch(fail);
