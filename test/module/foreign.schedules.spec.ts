import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron as OriginalCron, ScheduleModule as OriginalModule } from '@nestjs/schedule';
import { expect, test } from 'vitest';
import { ChronisModule, Cron, Interval } from '../../lib/index.js';
import { Cron as DropInCron, Interval as DropInInterval, ScheduleModule } from '../../lib/schedule/index.js';
import { Log } from '../schedule/subjects.js';

@Injectable()
class DropIn {
  @DropInCron('0 0 1 1 *', { name: 'a' })
  cron(): void {}
  @DropInInterval(1_000_000)
  interval(): void {}
}
@Injectable()
class Original {
  @OriginalCron('0 0 1 1 *')
  cron(): void {}
}
@Injectable()
class Core {
  @Cron('0 0 1 1 *', { id: 'b' })
  cron(): void {}
  @Interval('1d')
  interval(): void {}
}

async function warnings(metadata: ModuleMetadata): Promise<string[]> {
  @Module(metadata)
  class AppModule {}
  const logger = new Log();
  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  await app.close();
  return logger.lines.map(({ message }) => String(message)).filter((line) => /decorator/.test(line));
}

test('ChronisModule tells of methods whose decorators are those of the drop-in or of @nestjs/schedule', async () => {
  expect(await warnings({ imports: [ChronisModule.forRoot()], providers: [DropIn, Original, Core] })).toEqual(
    [
      'Nothing runs DropIn.cron, DropIn.interval, Original.cron: their decorators come from nestjs-chronis/schedule or @nestjs/schedule, and no ScheduleModule.forRoot() is imported. Import the decorators from nestjs-chronis, or ScheduleModule.forRoot() of nestjs-chronis/schedule.',
    ],
  );
});

test('also where a module of the application is called ScheduleModule', async () => {
  const module = { ScheduleModule: class {} }.ScheduleModule;
  Module({})(module);
  expect(await warnings({ imports: [module, ChronisModule.forRoot()], providers: [DropIn] })).toHaveLength(1);
});

test("and ScheduleModule, on timers, of those whose decorators are the core's", async () => {
  expect(await warnings({ imports: [ScheduleModule.forRoot()], providers: [DropIn, Core] })).toEqual([
    'Nothing runs Core.cron and Core.interval: their decorators come from nestjs-chronis, and no ChronisModule is imported. Import the decorators from nestjs-chronis/schedule, or give ScheduleModule the option "distributed".',
  ]);
});

test.each<[string, ModuleMetadata]>([
  [
    'both modules',
    { imports: [ScheduleModule.forRoot(), ChronisModule.forRoot()], providers: [DropIn, Core] },
  ],
  [
    'the original beside',
    { imports: [OriginalModule.forRoot(), ChronisModule.forRoot()], providers: [Original, Core] },
  ],
  [
    'the drop-in, distributed',
    { imports: [ScheduleModule.forRoot({ distributed: {} })], providers: [DropIn, Core] },
  ],
  ['decorators of the right door', { imports: [ScheduleModule.forRoot()], providers: [DropIn] }],
])('nothing is told with %s', async (_, metadata) => {
  expect(await warnings(metadata)).toEqual([]);
});
