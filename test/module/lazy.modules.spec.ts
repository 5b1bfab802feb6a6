import { Injectable, Module, Scope, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, LazyModuleLoader, NestFactory } from '@nestjs/core';
import { Interval as OriginalInterval, ScheduleModule as OriginalModule } from '@nestjs/schedule';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisModule,
  Cron,
  DuplicateHandlerError,
  DuplicateJobError,
  Interval,
  InvalidOptionError,
  JobHandler,
  MemoryStorage,
  OnJobEvent,
  SchedulerService,
} from '../../lib/index.js';
import { Cron as DropInCron, ScheduleModule } from '../../lib/schedule/index.js';
import { NestApp } from '../support/nest.app.js';

const ran: string[] = [];
let app: NestApp | null = null;
afterEach(async () => {
  await app?.close();
  app = null;
  ran.length = 0;
});

@Injectable()
class Reports {
  @Interval('1h', { id: 'hourly' })
  hourly(): void {
    ran.push('hourly');
  }
  @JobHandler('render')
  render(): void {
    ran.push('render');
  }
  @OnJobEvent('succeeded', { handler: 'render' })
  heard(): void {
    ran.push('heard');
  }
}
@Module({ providers: [Reports] })
class ReportsModule {}

@Injectable()
class Eager {
  @Cron('0 0 1 1 *', { id: 'eager' })
  yearly(): void {}
  @OnJobEvent('succeeded', { handler: 'render' })
  heard(): void {
    ran.push('heard by the eager one');
  }
}

const load = (module: new () => object = ReportsModule) => app!.app.get(LazyModuleLoader).load(() => module);

/** The sync that follows is spread over half a second. */
const synced = () => app!.clock.advanceBy(1_000);

describe('a module that is loaded lazily', () => {
  test('brings its jobs, handlers and listeners, each once, to a scheduler that works', async () => {
    app = await NestApp.boot({ providers: [Eager] });
    await Promise.all([load(), load()]);
    await load();
    await synced();
    expect(await app.scheduler.getJob('hourly')).toMatchObject({ source: 'code', state: 'pending' });
    await app.scheduler.createDateJob({ handler: 'render', in: 0 });
    await app.settle();
    expect(ran.toSorted()).toEqual(['heard', 'heard by the eager one', 'render']);
    await app.clock.advanceBy(2 * 3_600_000);
    expect(ran.filter((name) => name === 'hourly')).toHaveLength(2);
    expect(app.heard('jobs.explored').map(({ jobs, handlers }) => [jobs, handlers.length])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(app.heard('jobs.synced').map(({ declared }) => declared)).toEqual([1, 2]);
  });

  test('is declared as others are: at the next start, before it is loaded again, others may have it', async () => {
    app = await NestApp.boot({ providers: [Eager] });
    await load();
    await synced();
    const other = await NestApp.boot({ providers: [Eager], clock: app.clock, storage: app.storage });
    await app.clock.advanceBy(3_600_000);
    expect(ran).toEqual(['hourly']);
    await other.close();
  });

  test('in a process that has declared nothing before', async () => {
    app = await NestApp.boot();
    await load();
    await synced();
    await app.clock.advanceBy(3_600_000);
    expect(ran).toEqual(['hourly']);
  });

  test('is there from the start when a hook has loaded it', async () => {
    const loading = {
      provide: 'loading',
      inject: [LazyModuleLoader],
      useFactory: (loader: LazyModuleLoader) => ({
        onModuleInit: () => loader.load(() => ReportsModule),
      }),
    };
    app = await NestApp.boot({ providers: [loading] });
    expect((await app.scheduler.getJob('hourly'))?.state).toBe('pending');
    expect(app.heard('jobs.synced')).toMatchObject([{ declared: 1 }]);
  });

  test('is stored by a process that runs no jobs, too', async () => {
    app = await NestApp.boot({ chronis: { autoStart: false } });
    await load();
    await app.settle();
    expect((await app.scheduler.getJob('hourly'))?.source).toBe('code');
    await app.scheduler.createDateJob({ handler: 'render', in: 0 });
    await app.clock.advanceBy(3_600_000);
    expect(ran).toEqual([]);
  });

  test('is not looked at before its providers exist, though another load has ended by then', async () => {
    const made: string[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class PerRun {
      constructor() {
        made.push('per run');
      }
    }
    @Injectable()
    class Slow {
      constructor(readonly perRun: PerRun) {}
      @JobHandler('slow')
      run(): void {
        ran.push('slow');
      }
      @OnJobEvent('succeeded', { handler: 'slow' })
      heard(): void {
        ran.push('heard');
      }
    }
    Reflect.defineMetadata('design:paramtypes', [PerRun], Slow);
    let connect = (): void => undefined;
    const connected = new Promise<void>((resolve) => (connect = resolve));
    const connection = { provide: 'connection', useFactory: () => connected };
    @Module({ providers: [PerRun, Slow, connection] })
    class SlowModule {}
    app = await NestApp.boot();
    const slow = load(SlowModule);
    await load();
    expect(app.heard('jobs.explored').at(-1)?.handlers).toEqual(['Reports.hourly', 'render']);
    connect();
    await slow;
    expect(app.heard('jobs.explored').at(-1)?.handlers).toEqual(['Reports.hourly', 'render', 'slow']);
    for (let runs = 1; runs <= 2; runs++) {
      await app.scheduler.createDateJob({ handler: 'slow', in: 0 });
      await app.settle();
    }
    expect(ran.filter((name) => name === 'slow')).toHaveLength(2);
    // For each run, and for the listener of each.
    expect(made).toHaveLength(4);
  });

  test('is refused where its ids are taken, with both places', async () => {
    @Injectable()
    class Taken {
      @Interval('1h', { id: 'eager' })
      run(): void {}
    }
    @Module({ providers: [Taken] })
    class TakenModule {}
    app = await NestApp.boot({ providers: [Eager] });
    const loading = load(TakenModule);
    await expect(loading).rejects.toThrow(DuplicateJobError);
    await expect(loading).rejects.toThrow('Eager.yearly and Taken.run');
  });

  test('has only its own schedules made, and one that is refused stands in the way of no other', async () => {
    let made = 0;
    @Injectable()
    class Configured {
      @Cron({ useFactory: () => `0 0 ${++made} 1 *` }, { id: 'configured' })
      run(): void {}
    }
    @Injectable()
    class Taken {
      @JobHandler('Eager.yearly')
      run(): void {}
    }
    @Module({ providers: [Taken] })
    class TakenModule {}
    app = await NestApp.boot({ providers: [Eager, Configured] });
    await expect(load(TakenModule)).rejects.toThrow(DuplicateHandlerError);
    await load();
    await synced();
    expect(made).toBe(1);
    expect((await app.scheduler.getJob('hourly'))?.state).toBe('pending');
  });

  test('cannot bring a scheduler of its own, of which Nest would call no hook', async () => {
    const opened: string[] = [];
    const storage = {
      create: () => {
        opened.push('storage');
        return new MemoryStorage();
      },
    } as never;
    class Plain {}
    for (const root of [
      () => ChronisModule.forRoot({ storage }),
      () => ChronisModule.forRoot({ storage, isGlobal: false }),
      () => ChronisModule.forRoot({ storage, instance: 'reports' }),
      () => ChronisModule.forRootAsync({ useFactory: () => ({ storage }) }),
      () => ScheduleModule.forRoot({ distributed: { storage } }),
    ]) {
      @Module({ imports: [root()], providers: [Reports] })
      class OwnModule {}
      @Module({ imports: [OwnModule] })
      class OuterModule {}
      @Module({ imports: [DiscoveryModule], providers: [Plain] })
      class RootModule {}
      const plain = await NestFactory.createApplicationContext(RootModule, { logger: false });
      const loading = plain.get(LazyModuleLoader).load(() => OuterModule);
      await expect(loading).rejects.toThrow(InvalidOptionError);
      await expect(loading).rejects.toThrow(
        'ChronisModule: OwnModule is loaded lazily with a forRoot(), and nothing would run, as Nest calls no hook of such a module. Import ChronisModule.forRoot() in the root module, last; what modules declare that are loaded lazily is found there.',
      );
      await plain.close();
    }
    app = await NestApp.boot();
    @Module({ imports: [ChronisModule.forRoot({ storage })] })
    class SecondModule {}
    await expect(load(SecondModule)).rejects.toThrow('SecondModule is loaded lazily with a forRoot()');
    expect(opened).toEqual([]);
    await load();
    await synced();
    expect((await app.scheduler.getJob('hourly'))?.state).toBe('pending');
  });

  test.each<[string, NonNullable<ModuleMetadata['imports']>]>([
    ['ChronisModule alone', []],
    ['a ScheduleModule, which reads them at the boot only', [OriginalModule.forRoot()]],
  ])('has methods with decorators of others told once, beside %s', async (_, imports) => {
    @Injectable()
    class Wrong {
      @DropInCron('0 0 1 1 *')
      cron(): void {}
      @OriginalInterval(1_000_000)
      interval(): void {}
    }
    @Module({ providers: [Wrong, Reports] })
    class WrongModule {}
    app = await NestApp.boot({ imports, providers: [Eager] });
    await load(WrongModule);
    await load(WrongModule);
    await load();
    expect(app.heard('schedules.foreign')).toMatchObject([
      { methods: ['Wrong.cron', 'Wrong.interval'], lazy: true },
    ]);
  });

  test('has the scheduler injected', async () => {
    @Injectable()
    class User {
      constructor(readonly scheduler: SchedulerService) {}
    }
    Reflect.defineMetadata('design:paramtypes', [SchedulerService], User);
    @Module({ providers: [User] })
    class UserModule {}
    app = await NestApp.boot();
    const loaded = await load(UserModule);
    expect(loaded.get(User).scheduler).toBe(app.scheduler);
  });
});
