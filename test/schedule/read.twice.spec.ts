import { Injectable, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Cron as OriginalCron, ScheduleModule as OriginalModule } from '@nestjs/schedule';
import { describe, expect, test } from 'vitest';
import { ChronisModule } from '../../lib/index.js';
import { Cron, Interval, ScheduleModule, Timeout } from '../../lib/schedule/index.js';
import { ScheduleExplorer } from '../../lib/schedule/schedule.explorer.js';

@Injectable()
class Reports {
  @Cron('0 0 1 1 *', { name: 'yearly' })
  yearly(): void {}
  @Interval(1_000_000)
  often(): void {}
}
@Injectable()
class Cleaner {
  @OriginalCron('0 0 1 1 *')
  clean(): void {}
}
@Injectable()
class Warm {
  @Timeout(1_000_000)
  up(): void {}
}

/** A module of a library that imports the original by itself. */
function library(options?: Parameters<typeof OriginalModule.forRoot>[0]): new () => object {
  @Module({ imports: [OriginalModule.forRoot(options)], providers: [Cleaner] })
  class LibraryModule {}
  return LibraryModule;
}

async function boot(metadata: ModuleMetadata): Promise<void> {
  @Module(metadata)
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
  await app.close();
}

describe('methods that two ScheduleModules would run', () => {
  test.each([
    ['on timers', () => ScheduleModule.forRoot()],
    ['distributed', () => ScheduleModule.forRoot({ distributed: {} })],
    [
      'distributed, by a factory',
      () => ScheduleModule.forRootAsync({ distributed: true, useFactory: () => ({ distributed: {} }) }),
    ],
  ])('stop the boot, with who imports the other one (%s)', async (_, ours) => {
    for (const first of [true, false]) {
      const imports = first ? [ours(), library()] : [library(), ours()];
      await expect(boot({ imports, providers: [Reports] })).rejects.toThrow(
        /^imports: (Reports\.yearly, Reports\.often and Cleaner\.clean|Cleaner\.clean, Reports\.yearly and Reports\.often) would run twice: LibraryModule imports another ScheduleModule, that of @nestjs\/schedule, which schedules all methods that the one of nestjs-chronis\/schedule does\. Take that import away\. If a library needs it, import ChronisModule\.forRoot\(\) instead of the ScheduleModule of nestjs-chronis\/schedule, and the decorators from nestjs-chronis: what is decorated with those of @nestjs\/schedule is then left to it\.$/,
      );
    }
  });

  test('are told by the root module, where that imports both', async () => {
    const imports = [OriginalModule.forRoot(), ScheduleModule.forRoot({ distributed: {} })];
    await expect(boot({ imports, providers: [Warm] })).rejects.toThrow(
      'imports: Warm.up would run twice: AppModule imports another ScheduleModule',
    );
  });

  test('are those whose kind both schedule', async () => {
    const other = library({ cronJobs: false, timeouts: false });
    await expect(
      boot({ imports: [other, ScheduleModule.forRoot()], providers: [Reports, Warm] }),
    ).rejects.toThrow('imports: Reports.often would run twice');
    const ours = ScheduleModule.forRoot({ intervals: false });
    await boot({ imports: [other, ours], providers: [Reports, Warm] });
  });

  test('are none where no method is decorated, or where ChronisModule takes the place of the drop-in', async () => {
    @Module({ imports: [OriginalModule.forRoot()] })
    class ByHandModule {}
    await boot({ imports: [ByHandModule, ScheduleModule.forRoot({ distributed: {} })] });
    await boot({ imports: [library(), ChronisModule.forRoot()], providers: [Reports] });
  });

  test('are those of the original, whatever the names of classes are', async () => {
    const ours = ScheduleModule.forRoot({ distributed: {} });
    @Injectable()
    class Own {}
    // As minifiers leave them.
    const original = OriginalModule.forRoot().providers![0] as typeof Own;
    expect(original.name).toBe('ScheduleExplorer');
    const names = [ScheduleExplorer, original, Own].map((each) => [each, each.name] as const);
    for (const [each] of names) Object.defineProperty(each, 'name', { value: 'e' });
    try {
      await boot({ imports: [ours], providers: [Reports, Own] });
      await expect(boot({ imports: [library(), ours], providers: [Reports] })).rejects.toThrow(
        'would run twice: LibraryModule imports another ScheduleModule',
      );
    } finally {
      for (const [each, value] of names) Object.defineProperty(each, 'name', { value });
    }
  });

  test('are none where the application has a ScheduleModule of its own with providers of these names', async () => {
    const named = (name: string): new () => object => {
      @Injectable()
      class Own {}
      Object.defineProperty(Own, 'name', { value: name });
      return Own;
    };
    @Module({ providers: ['SchedulerRegistry', 'ScheduleExplorer', 'SchedulerOrchestrator'].map(named) })
    class Timetables {}
    Object.defineProperty(Timetables, 'name', { value: 'ScheduleModule' });
    await boot({ imports: [Timetables, ScheduleModule.forRoot()], providers: [Reports] });
  });
});
