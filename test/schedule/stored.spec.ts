import { Injectable, Module, Req, Scope } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CronJob as PackageCronJob, CronTime as PackageCronTime } from 'cron';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cron as CoreCron, Ctx, SchedulerService, type RunContext } from '../../lib/index.js';
import {
  Cron,
  CronTime,
  Interval,
  ScheduleModule,
  SchedulerRegistry,
  StoredJob,
  Timeout,
  type CronOptions,
} from '../../lib/schedule/index.js';
import { Cluster } from './cluster.js';
import { complaint } from './subjects.js';

describe('distributed', () => {
  let cluster: Cluster;
  let calls: string[];

  beforeEach(() => {
    cluster = new Cluster();
    calls = [];
  });
  afterEach(() => cluster.close());

  @Injectable()
  class Jobs {
    @Cron('*/10 * * * * *', { name: 'ten', timeZone: 'Asia/Seoul' })
    ten(): void {
      calls.push('ten');
    }
    @Cron('0 * * * * *', { utcOffset: 0 })
    minute(): void {
      calls.push('minute');
    }
    @Interval('seven', 7_000)
    seven(): void {
      calls.push('seven');
    }
    @Interval(1_000)
    second(): void {
      calls.push('second');
    }
  }

  /** A class with one cron. */
  function withCron(
    time: string | Date,
    options: CronOptions = {},
    run: (context?: RunContext) => unknown = () => calls.push('run'),
  ) {
    @Injectable()
    class One {
      @Cron(time, options)
      job(@Ctx() context: RunContext): unknown {
        return run(context);
      }
    }
    return { providers: [One] };
  }

  test('counts what was found, handlers included', async () => {
    const found: unknown[] = [];
    const on = { 'jobs.explored': (event: object) => void found.push(event) };
    await cluster.boot({ providers: [Jobs], chronis: { on } });
    const handlers = ['ten', 'Jobs.minute', 'seven', 'Jobs.second'];
    const runs = handlers.map((handler) => ({ handler, queue: 'default', origin: 'schedule' }));
    expect(found).toEqual([{ jobs: 4, handlers, repeated: [], runs }]);
  });

  test('tells which module to import last, by the name that was imported', async () => {
    @Injectable()
    class Warmer {
      onApplicationBootstrap(): void {}
    }
    const { log } = await cluster.boot({ providers: [Warmer] });
    const told = log.lines.map(({ message }) => String(message)).join();
    expect(told).toContain('Jobs may run before AppModule is ready');
    expect(told).toContain('Import ScheduleModule last');
  });

  test('crons and intervals of a second or more run once, whatever the number of processes', async () => {
    for (let i = 0; i < 3; i++) await cluster.boot({ providers: [Jobs] });
    // Beyond the last due instants, as three processes take a few turns to agree who runs them.
    for (let passed = 0; passed < 60_900; passed += 100) await cluster.pass(100);
    const count = (name: string): number => calls.filter((call) => call === name).length;
    expect({
      ten: count('ten'),
      minute: count('minute'),
      seven: count('seven'),
      second: count('second'),
    }).toEqual({
      ...{ ten: 6, minute: 1, seven: 8, second: 60 },
    });
  });

  test('the jobs are declared by the code, under their names or as Class.method', async () => {
    const { scheduler } = await cluster.boot({ providers: [Jobs] });
    const { items } = await scheduler.queryJobs();
    expect(items.map(({ id, source, trigger, handler }) => ({ id, source, trigger, handler }))).toMatchObject(
      [
        {
          id: 'Jobs.minute',
          trigger: { expression: '0 * * * * *', timeZone: 'UTC' },
          handler: 'Jobs.minute',
        },
        { id: 'Jobs.second', trigger: { every: 1_000 } },
        { id: 'seven', source: 'code', trigger: { every: 7_000 } },
        { id: 'ten', source: 'code', trigger: { expression: '*/10 * * * * *', timeZone: 'Asia/Seoul' } },
      ],
    );
  });

  test('intervals below a second and timeouts stay on timers of the process', async () => {
    @Injectable()
    class Quick {
      @Interval('quick', 999)
      quick(): void {}
      @Timeout('once', 60_000)
      once(): void {}
    }
    const { registry, scheduler } = await cluster.boot({ providers: [Quick] });
    expect(await scheduler.countJobs()).toBe(0);
    expect(registry.getInterval<NodeJS.Timeout>('quick').hasRef()).toBe(true);
    expect(registry.getTimeout<NodeJS.Timeout>('once').hasRef()).toBe(true);
  });

  test('what is switched off is not stored', async () => {
    const { scheduler } = await cluster.boot({ providers: [Jobs], cronJobs: false });
    expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['Jobs.second', 'seven']);
  });

  describe('the handle of a cron', () => {
    test('tells when the job is due and when it last ran here', async () => {
      const { registry } = await cluster.boot({ providers: [Jobs] });
      const job = registry.getCronJob('ten');
      expect([job.lastDate(), job.isActive, job.name]).toEqual([null, true, 'ten']);
      await cluster.pass(25_000);
      expect(job.lastDate()).toEqual(new Date('2026-03-10T10:00:20Z'));
      expect([job.nextDate().zoneName, job.nextDates(2).length]).toEqual(['Asia/Seoul', 2]);
      expect([...registry.getCronJobs().keys()]).toEqual(['ten', 'Jobs.minute']);
    });

    test('tells whether a run goes on here, also when it fails', async () => {
      let fail: (reason: Error) => void = () => undefined;
      const slow = (): Promise<void> => new Promise((_, reject) => (fail = reject));
      const { registry } = await cluster.boot(withCron('* * * * * *', { name: 'slow' }, slow));
      const job = registry.getCronJob('slow');
      expect(job.isCallbackRunning).toBe(false);
      await cluster.pass(1_000);
      expect(job.isCallbackRunning).toBe(true);
      fail(new Error('too slow'));
      await cluster.pass(1);
      expect(job.isCallbackRunning).toBe(false);
    });

    test('is stopped before the scheduler runs, and stays so', async () => {
      @Injectable()
      class Impatient {
        constructor(private readonly registry: SchedulerRegistry) {}
        onApplicationBootstrap(): void {
          void this.registry.getCronJob('ten').stop();
        }
      }
      Reflect.defineMetadata('design:paramtypes', [SchedulerRegistry], Impatient);
      const { registry } = await cluster.boot({ providers: [Jobs, Impatient] });
      expect(registry.getCronJob('ten').isActive).toBe(false);
      await cluster.pass(20_000);
      expect([calls.includes('ten'), calls.includes('second')]).toEqual([false, true]);
    });

    test('runs the job at once, somewhere', async () => {
      const { registry } = await cluster.boot({ providers: [Jobs] });
      await registry.getCronJob('Jobs.minute').fireOnTick();
      await cluster.pass(0);
      expect(calls).toEqual(['minute']);
    });

    test('gives the job another schedule, also by a CronTime of the cron package', async () => {
      const { registry, scheduler } = await cluster.boot({ providers: [Jobs] });
      const job = registry.getCronJob('ten');
      await job.setTime(new CronTime('*/20 * * * * *', 'UTC') as typeof job.cronTime);
      expect((await scheduler.getJob('ten'))?.trigger).toMatchObject({ expression: '*/20 * * * * *' });
      await job.setTime(new PackageCronTime('*/15 * * * * *', null, 540) as typeof job.cronTime);
      const { trigger } = (await scheduler.getJob('ten'))!;
      expect(trigger).toMatchObject({ expression: '*/15 * * * * *', timeZone: 'Etc/GMT-9' });
      expect(job.nextDate().toMillis() % 15_000).toBe(0);
    });

    test('calls added callbacks after the method, where it ran', async () => {
      const { registry } = await cluster.boot({ providers: [Jobs] });
      registry.getCronJob('ten').addCallback(() => void calls.push('added'));
      await cluster.pass(10_000);
      expect(calls.filter((call) => call !== 'second' && call !== 'seven')).toEqual(['ten', 'added']);
    });

    test('logs what could not be done, and says so to who waits for it', async () => {
      const { registry, scheduler, log } = await cluster.boot({ providers: [Jobs] });
      await scheduler.deleteJob('ten');
      const change = () => registry.getCronJob('ten').setTime(new CronTime('0 * * * * *') as never);
      expect(await complaint(change)).toMatch(/There is no job "ten"/);
      expect(log.lines).toMatchObject([
        {
          level: 'error',
          message: expect.stringMatching(/^Could not change the job "ten": /),
          context: 'Scheduler',
        },
      ]);
    });
  });

  test('the handle of an interval is a StoredJob', async () => {
    const { registry, scheduler } = await cluster.boot({ providers: [Jobs] });
    const interval = registry.getInterval<StoredJob>('seven');
    expect(interval).toBeInstanceOf(StoredJob);
    await interval.stop();
    expect([interval.isActive, (await scheduler.getJob('seven'))?.paused]).toEqual([false, null]);
    await interval.runNow();
    await interval.start();
    await cluster.pass(0);
    expect([interval.isActive, calls.includes('seven')]).toEqual([true, true]);
    expect(registry.getIntervals()).toEqual(['seven', 'Jobs.second']);
  });

  test('closing empties the registry and leaves the jobs as they are', async () => {
    const { registry, app } = await cluster.boot({ providers: [Jobs] });
    const other = await cluster.boot({ providers: [Jobs] });
    const [map, handle] = [registry.getCronJobs(), registry.getCronJob('Jobs.minute')];
    await app.close();
    expect([map.size, registry.getIntervals()]).toEqual([0, []]);
    await handle.stop();
    expect((await other.scheduler.queryJobs({ state: 'paused' })).items).toEqual([]);
    expect(await other.scheduler.countJobs()).toBe(4);
  });

  test('a CronJob that is added by hand runs in its process alone', async () => {
    const { registry, scheduler } = await cluster.boot({ providers: [Jobs] });
    const job = new PackageCronJob('0 0 1 1 *', () => undefined, null, true);
    registry.addCronJob('added', job);
    expect(await scheduler.getJob('added')).toBeNull();
    registry.deleteCronJob('added');
    expect(job.isActive).toBe(false);
  });

  test('nothing runs in a process before its initialDelay', async () => {
    await cluster.boot(withCron('*/10 * * * * *', { initialDelay: 25_000 }));
    await cluster.pass(24_900);
    expect(calls).toEqual([]);
    await cluster.pass(5_200);
    expect(calls.length).toBeGreaterThan(0);
  });

  test.each([
    [{}, {}],
    [{ waitForCompletion: true }, {}],
    [{ waitForCompletion: false }, { overlap: 'allow' }],
    [{ threshold: -500 }, { misfire: 'skip', misfireThresholdMs: 500 }],
  ])('%o becomes the policies %o', async (options, policies) => {
    const { scheduler } = await cluster.boot(withCron('* * * * * *', options));
    expect((await scheduler.getJob('One.job'))?.policies).toEqual(policies);
  });

  test('a Date is a one-off', async () => {
    const { scheduler } = await cluster.boot(withCron(new Date('2026-03-10T10:00:30Z')));
    expect((await scheduler.getJob('One.job'))?.trigger).toMatchObject({
      type: 'at',
      at: '2026-03-10T10:00:30.000Z',
    });
    await cluster.pass(60_000);
    expect(calls).toEqual(['run']);
    await cluster.boot(withCron(new Date('2026-03-10T10:00:30Z')));
    await cluster.pass(60_000);
    expect(calls).toEqual(['run']);
  });

  test.each([
    [{ utcOffset: -300 }, undefined, 'Etc/GMT+5'],
    [{ timeZone: 'UTC+2' }, undefined, 'Etc/GMT-2'],
    [{ timeZone: 'CET' }, undefined, 'Europe/Brussels'],
    [{}, 'Asia/Seoul', 'Asia/Seoul'],
    [{ timeZone: 'Asia/Tokyo' }, 'Asia/Seoul', 'Asia/Tokyo'],
    [{}, undefined, Intl.DateTimeFormat().resolvedOptions().timeZone],
  ] as [CronOptions, string | undefined, string][])(
    '%o with the module in %s: %s',
    async (options, timeZone, zone) => {
      const chronis = timeZone === undefined ? {} : { timeZone };
      const { scheduler, registry } = await cluster.boot({ ...withCron('0 9 * * *', options), chronis });
      const job = (await scheduler.getJob('One.job'))!;
      expect(job.timeZone).toBe(zone);
      // The handle asks the clock of the process.
      expect(registry.getCronJob('One.job').nextDate().toMillis() % 86_400_000).toBe(
        job.nextRunAt!.getTime() % 86_400_000,
      );
    },
  );

  test('without options for the scheduler there is no module', async () => {
    expect(await complaint(() => ScheduleModule.forRoot({ distributed: true as never }))).toBe(
      'distributed: give the options of ChronisModule, such as { storage: typeOrmStorage({ url }) }.',
    );
  });

  test('an offset that no zone has a name for does not boot', async () => {
    expect(await complaint(() => cluster.boot(withCron('0 9 * * *', { utcOffset: 330 })))).toMatch(
      /^utcOffset: 330 minutes of One\.job are no whole hours/,
    );
    expect(await complaint(() => cluster.storage.queryJobs({}, {}))).toMatch(/closed/);
  });

  test('parameters with @Ctx() get the context of the run, and what methods throw is on record', async () => {
    let seen: RunContext | undefined;
    const run = (context?: RunContext): never => {
      seen = context;
      throw new Error('no');
    };
    const { scheduler, log } = await cluster.boot(withCron('0 * * * * *', {}, run));
    await cluster.pass(60_000);
    expect([seen?.job.id, seen?.signal.aborted, seen?.nominalAt]).toEqual([
      ...['One.job', false, new Date('2026-03-10T10:01:00Z')],
    ]);
    const { items } = await scheduler.getAttempts({ jobId: 'One.job' });
    expect(items).toMatchObject([{ outcome: 'failed', final: true }]);
    expect(log.lines.some(({ message }) => String(message).includes('no'))).toBe(true);
  });

  test('methods leave their runs open by their context, and hold the next ones until the verdict', async () => {
    const { scheduler } = await cluster.boot(
      withCron('0 * * * * *', { name: 'order', waitForCompletion: true }, (context) => context?.open()),
    );
    await cluster.pass(150_000);
    const runs = (await scheduler.getRuns()).items;
    expect(runs).toMatchObject([{ jobId: 'order', state: 'open' }]);
    await scheduler.complete(runs[0]!.id, 'done');
    await cluster.pass(60_000);
    expect((await scheduler.getAttempts({ finalOnly: true })).items).toMatchObject([{ result: 'done' }]);
    expect((await scheduler.getRuns()).items).toMatchObject([{ jobId: 'order', state: 'open' }]);
  });

  test('methods are called as by a timer, whatever the compiler notes, but for parameters with @Ctx()', async () => {
    const seen: Record<string, unknown> = {};
    const note = (name: string, given: unknown): void => void (seen[name] = given);
    const wraps: MethodDecorator = (_, __, descriptor) => {
      const original = descriptor.value as (...args: unknown[]) => unknown;
      descriptor.value = function (this: unknown, ...args: unknown[]) {
        return original.apply(this, args);
      } as never;
    };
    // As compilers note them, with emitDecoratorMetadata: tsc has Object where nothing is annotated, SWC Boolean.
    const types = (...all: unknown[]): MethodDecorator => Reflect.metadata('design:paramtypes', all);
    @Injectable()
    class Typed {
      @Cron('* * * * * *')
      @wraps
      @types(Object)
      wrapped(@Ctx() context: RunContext): void {
        note('wrapped', context.job.id);
      }
      @Cron('* * * * * *')
      second(force: boolean | undefined, @Ctx() context: RunContext): void {
        note('second', [force, context.job.id]);
      }
      @Cron('* * * * * *')
      @types(Object)
      flag(force = false): void {
        note('flag', force);
      }
      @Cron('* * * * * *')
      @types(Boolean)
      optional(force?: boolean): void {
        note('optional', force);
      }
      @Interval(1_000)
      @types(Object)
      options(options: { full: boolean } = { full: false }): void {
        note('options', options);
      }
      @Cron('* * * * * *')
      route(@Req() request?: object): void {
        note('route', request);
      }
      @Cron('* * * * * *')
      @types(Object)
      unmarked(context?: RunContext): void {
        note('unmarked', context);
      }
    }
    const { log } = await cluster.boot({ providers: [Typed] });
    await cluster.pass(2_000);
    expect(seen).toEqual({
      wrapped: 'Typed.wrapped',
      second: [undefined, 'Typed.second'],
      flag: false,
      optional: undefined,
      options: { full: false },
      route: undefined,
      unmarked: undefined,
    });
    expect(log.lines.map(({ message }) => message)).toEqual([
      'Typed.unmarked: what it takes is undefined, as on timers. A parameter with @Ctx() of nestjs-chronis gets the RunContext; one with a default value is not told of.',
    ]);
  });

  test('options that there are not are told of, with the method and what was meant', async () => {
    @Injectable()
    class Typos {
      @Cron('* * * * * *', { distrubuted: false } as never)
      cron(): void {}
      @Cron('* * * * * *', { name: 'named', tz: 'Asia/Seoul', maxRetries: 3 } as never)
      named(): void {}
      @Interval(1_000, { distribute: false } as never)
      interval(): void {}
      @Timeout(1, { distributed: false })
      timeout(): void {}
    }
    const { log } = await cluster.boot({ providers: [Typos] });
    expect(log.lines.map(({ message }) => message)).toEqual([
      '@Cron on Typos.cron ignores "distrubuted": it has no such option. Did you mean "distributed"?',
      '@Cron on Typos.named ignores "tz": it has no such option. Did you mean "timeZone"?',
      '@Cron on Typos.named ignores "maxRetries": it has no such option. There are: name, timeZone, utcOffset, unrefTimeout, waitForCompletion, disabled, threshold, initialDelay, distributed. What jobs take besides is said in overrides of the module.',
      '@Interval on Typos.interval ignores "distribute": it has no such option. Did you mean "distributed"?',
    ]);
  });

  test.each<[string, MethodDecorator]>([
    ['One.job: Too few fields', Cron('* * *', { name: 'a' })],
    ['One.job: Unknown alias: l', Cron('0 0 L * *')],
    ['One.job: Invalid timezone.', Cron('* * * * * *', { timeZone: 'Mars/X' })],
    ['One.job: schedule: -1 must be longer than zero.', Interval('a', -1, { distributed: false })],
  ])('what is wrong with a schedule names the method: %s', async (message, decorator) => {
    @Injectable()
    class One {
      @decorator
      job(): void {}
    }
    const chronis = { overrides: { a: {} } };
    expect(await complaint(() => cluster.boot({ providers: [One], chronis }))).toContain(message);
  });

  test('aliases, and a class that two modules provide, are one job', async () => {
    @Module({ providers: [Jobs] })
    class Other {}
    const providers = [Jobs, { provide: 'alias', useExisting: Jobs }];
    const { scheduler, log } = await cluster.boot({ imports: [Other], providers });
    expect(await scheduler.countJobs()).toBe(4);
    await cluster.pass(10_000);
    expect(calls.filter((call) => call === 'ten')).toEqual(['ten']);
    expect(log.lines.map(({ message }) => message)).toContain(
      'Jobs.ten is provided more than once: its job runs once, on one of the instances.',
    );
  });

  test('two methods of one name do not boot', async () => {
    class First {
      @Cron('* * * * * *', { name: 'same' })
      a(): void {}
    }
    class Second {
      @Cron('* * * * * *', { name: 'same' })
      b(): void {}
    }
    class Third {
      @Interval('same', 5_000)
      c(): void {}
    }
    expect(await complaint(() => cluster.boot({ providers: [First, Second] }))).toBe(
      'Cron Job with the given name (same) already exists. Ignored.',
    );
    cluster = new Cluster();
    expect(await complaint(() => cluster.boot({ providers: [First, Third] }))).toMatch(
      /^Two methods declare the job "same": First\.a and Third\.c\./,
    );
  });

  test('request-scoped providers are refused with the same warning', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped extends Jobs {}
    const { scheduler, log } = await cluster.boot({ providers: [Scoped] });
    expect(await scheduler.countJobs()).toBe(0);
    expect(log.lines[0]).toEqual({
      ...{ level: 'warn', context: 'Scheduler' },
      message: 'Cannot register cron job "Scoped@ten" because it is defined in a non static provider.',
    });
  });

  test('jobs whose decorator is gone do not fire any more', async () => {
    const first = await cluster.boot({ providers: [Jobs] });
    await first.app.close();
    class Other {
      @Cron('*/10 * * * * *', { name: 'other' })
      other(): void {}
    }
    const { scheduler } = await cluster.boot({ providers: [Other] });
    await cluster.pass(20 * 60_000);
    expect(calls).toEqual([]);
    expect((await scheduler.getJob('ten'))?.state).toBe('orphaned');
  });

  test('the decorators of the core work beside these', async () => {
    class Core {
      @CoreCron('*/30 * * * * *', { id: 'core' })
      core(): void {
        calls.push('core');
      }
    }
    await cluster.boot({ providers: [Core, ...withCron('*/30 * * * * *').providers] });
    await cluster.pass(30_000);
    expect(calls.toSorted()).toEqual(['core', 'run']);
  });

  test('closing waits for what runs', async () => {
    let finish = (): void => undefined;
    const running = new Promise<void>((resolve) => (finish = resolve));
    const { app } = await cluster.boot(
      withCron('* * * * * *', {}, () => running.then(() => calls.push('end'))),
    );
    await cluster.pass(1_000);
    const closing = app.close().then(() => calls.push('closed'));
    await cluster.pass(1_000);
    expect(calls).toEqual([]);
    finish();
    await closing;
    expect(calls).toEqual(['end', 'closed']);
  });
});

describe('options that are made', () => {
  @Injectable()
  class Jobs {
    @Cron('0 0 1 1 *', { name: 'yearly' })
    yearly(): void {}
  }

  async function boot(distributed: boolean | undefined, made: object) {
    const { clock, storage } = new Cluster();
    const useFactory = () => ('distributed' in made ? { distributed: { clock, storage } } : made);
    const flag = distributed === undefined ? {} : { distributed };
    const imports = [ScheduleModule.forRootAsync({ useFactory, ...flag })];
    const app = await Test.createTestingModule({ imports, providers: [Jobs] })
      .setLogger(false as never)
      .compile();
    await app.init();
    return app;
  }

  test('may be distributed if that is said beside the factory as well', async () => {
    const app = await boot(true, { distributed: true });
    expect((await app.get(SchedulerService).getJob('yearly'))?.source).toBe('code');
    expect(app.get(SchedulerRegistry).getCronJob('yearly').isActive).toBe(true);
    await app.close();
    expect(await complaint(() => boot(undefined, { distributed: true }))).toMatch(
      /^distributed: .*give distributed: true beside useFactory as well/,
    );
  });

  test('may be local all the same', async () => {
    const app = await boot(true, {});
    expect(await app.get(SchedulerService).getJob('yearly')).toBeNull();
    expect(app.get(SchedulerService).running).toBe(false);
    expect(app.get(SchedulerRegistry).getCronJob('yearly').isActive).toBe(true);
    await app.close();
  });
});
