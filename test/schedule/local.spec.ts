import { Inject, Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { boot, complaint, start, stopTime, subjects, type Booted } from './subjects.js';

describe.each(subjects)('$name runs methods on timers of the process', (subject) => {
  const { Cron, CronExpression, Interval, ScheduleModule, Timeout } = subject.schedule;
  let app: Booted | null = null;

  beforeEach(() => stopTime());
  afterEach(async () => {
    await app?.close();
    app = null;
    vi.useRealTimers();
  });

  @Injectable()
  class Jobs {
    calls: string[] = [];
    note(name: string): void {
      this.calls.push(`${name} ${(Date.now() - start) / 1000}`);
    }
    @Cron(CronExpression.EVERY_10_SECONDS, { name: 'ten' })
    ten(): void {
      this.note('ten');
    }
    @Cron('30 * * * * *', { name: 'half' })
    half(): void {
      this.note('half');
    }
    @Interval('seven', 7_000)
    seven(): void {
      this.note('seven');
    }
    @Interval(400)
    quick(): void {
      this.note('quick');
    }
    @Timeout('once', 5_000)
    once(): void {
      this.note('once');
    }
    of(name: string): string[] {
      return this.calls.filter((call) => call.startsWith(name));
    }
  }

  test('crons, intervals and timeouts, from the bootstrap on', async () => {
    app = await boot(subject, { providers: [Jobs] });
    const jobs = app.get(Jobs);
    expect(jobs.calls).toEqual([]);
    vi.advanceTimersByTime(35_000);
    expect(jobs.of('ten')).toEqual(['ten 10', 'ten 20', 'ten 30']);
    expect(jobs.of('half')).toEqual(['half 30']);
    expect(jobs.of('seven')).toEqual(['seven 7', 'seven 14', 'seven 21', 'seven 28', 'seven 35']);
    expect(jobs.of('quick')).toHaveLength(87);
    expect(jobs.of('once')).toEqual(['once 5']);
  });

  test('in the registry by their names, whole numbers first', async () => {
    @Injectable()
    class Named {
      @Cron('0 0 1 1 *', { name: 'b' })
      lastCron(): void {}
      @Cron('0 0 1 1 *', { name: '10' })
      secondCron(): void {}
      @Cron('0 0 1 1 *', { name: '9' })
      firstCron(): void {}
      @Interval('b', 1_000)
      lastInterval(): void {}
      @Interval('10', 1_000)
      firstInterval(): void {}
      @Timeout('b', 1_000)
      lastTimeout(): void {}
      @Timeout('10', 1_000)
      firstTimeout(): void {}
    }
    app = await boot(subject, { providers: [Named] });
    const { registry } = app;
    expect([...registry.getCronJobs().keys()]).toEqual(['9', '10', 'b']);
    expect([registry.getIntervals(), registry.getTimeouts()]).toEqual(Array(2).fill(['10', 'b']));
  });

  test('nothing before the bootstrap', async () => {
    @Injectable()
    class Early extends Jobs {
      seen = 0;
      onModuleInit(): void {
        vi.advanceTimersByTime(60_000);
        this.seen = this.calls.length;
      }
    }
    app = await boot(subject, { providers: [Early] });
    expect(app.get(Early).seen).toBe(0);
  });

  test('jobs start before the bootstrap hooks of other modules, and end with the hook before the shutdown', async () => {
    const seen: string[] = [];
    @Injectable()
    class Hooks {
      constructor(
        @Inject(subject.schedule.SchedulerRegistry) private readonly registry: Booted['registry'],
      ) {}
      look(hook: string): void {
        seen.push(`${hook}: ${[...this.registry.getCronJobs().keys()].join()}`);
      }
      onApplicationBootstrap = (): void => this.look('bootstrap');
      onModuleDestroy = (): void => this.look('destroy');
      onApplicationShutdown = (): void => this.look('shutdown');
    }
    app = await boot(subject, { providers: [Jobs, Hooks] });
    await app.close();
    app = null;
    expect(seen).toEqual(['bootstrap: ten,half', 'destroy: ten,half', 'shutdown: ']);
  });

  test('closing leaves an empty registry and no timer, also of what was added by hand', async () => {
    app = await boot(subject, { providers: [Jobs] });
    const { registry } = app;
    const added = new subject.cron.CronJob('* * * * * *', () => undefined);
    registry.addCronJob('added', added);
    void added.start();
    registry.addInterval(
      'added',
      setInterval(() => undefined, 100),
    );
    registry.addTimeout(
      'added',
      setTimeout(() => undefined, 100_000),
    );
    expect(vi.getTimerCount()).toBe(8);
    await app.close();
    app = null;
    expect(vi.getTimerCount()).toBe(0);
    expect([...registry.getCronJobs().keys(), ...registry.getIntervals(), ...registry.getTimeouts()]).toEqual(
      [],
    );
  });

  test('what a method throws is logged, and it runs again', async () => {
    @Injectable()
    class Failing {
      calls = 0;
      @Cron('* * * * * *')
      async cron(): Promise<void> {
        this.calls++;
        throw new Error(`cron ${this.calls}`);
      }
      @Interval(1_000)
      interval(): void {
        throw new Error('interval');
      }
      @Timeout(1_000)
      timeout(): void {
        throw new Error('timeout');
      }
    }
    app = await boot(subject, { providers: [Failing] });
    await vi.advanceTimersByTimeAsync(2_000);
    const errors = ['timeout', 'interval', 'cron 1', 'interval', 'cron 2'];
    expect(app.log.lines).toEqual(
      errors.map((message) => ({ level: 'error', message, context: 'Scheduler' })),
    );
  });

  test('a cron that is disabled is registered and can be started', async () => {
    @Injectable()
    class Disabled {
      calls = 0;
      @Cron('* * * * * *', { name: 'off', disabled: true, initialDelay: 1_000 })
      off(): void {
        this.calls++;
      }
    }
    app = await boot(subject, { providers: [Disabled] });
    vi.advanceTimersByTime(5_000);
    const job = app.registry.getCronJob('off');
    expect([app.get(Disabled).calls, job.isActive, job.lastDate()]).toEqual([0, false, null]);
    void job.start();
    vi.advanceTimersByTime(2_000);
    expect([app.get(Disabled).calls, job.isActive, job.lastDate()?.getTime()]).toEqual([
      2,
      true,
      start + 7_000,
    ]);
  });

  test('initialDelay keeps a cron from starting, unless its name was deleted meanwhile', async () => {
    @Injectable()
    class Delayed {
      calls: string[] = [];
      @Cron('* * * * * *', { name: 'kept', initialDelay: 5_000 })
      kept(): void {
        this.calls.push('kept');
      }
      @Cron('* * * * * *', { name: 'deleted', initialDelay: 5_000 })
      deleted(): void {
        this.calls.push('deleted');
      }
    }
    app = await boot(subject, { providers: [Delayed] });
    app.registry.deleteCronJob('deleted');
    const added = new subject.cron.CronJob('0 * * * * *', () => undefined);
    app.registry.addCronJob('deleted', added);
    vi.advanceTimersByTime(5_000);
    expect(app.get(Delayed).calls).toEqual([]);
    expect(app.registry.getCronJob('kept').isActive).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(app.get(Delayed).calls).toEqual(['kept', 'kept']);
    expect(added.isActive).toBe(false);
  });

  test('an initialDelay that has not passed leaves no timer behind', async () => {
    @Injectable()
    class Delayed {
      @Cron('* * * * * *', { initialDelay: 60_000 })
      later(): void {}
    }
    app = await boot(subject, { providers: [Delayed] });
    await app.close();
    app = null;
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [undefined, 3],
    [false, 3],
    [true, 1],
  ])('waitForCompletion %s', async (waitForCompletion, expected) => {
    @Injectable()
    class Slow {
      calls = 0;
      @Cron('* * * * * *', {
        name: 'slow',
        ...(waitForCompletion === undefined ? {} : { waitForCompletion }),
      })
      async slow(): Promise<void> {
        this.calls++;
        await new Promise((resolve) => setTimeout(resolve, 2_500));
      }
    }
    app = await boot(subject, { providers: [Slow] });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(app.get(Slow).calls).toBe(expected);
    expect(app.registry.getCronJob('slow').isCallbackRunning).toBe(waitForCompletion ?? false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(app.get(Slow).calls).toBe(expected + 1);
  });

  test('a Date runs once, and a job of a Date that is past does not boot', async () => {
    class Once {
      calls = 0;
      once(): void {
        this.calls++;
      }
    }
    const decorate = (date: Date): typeof Once => {
      class Dated extends Once {
        override once(): void {
          super.once();
        }
      }
      Cron(date, { name: 'date' })(
        Dated.prototype,
        'once',
        Object.getOwnPropertyDescriptor(Dated.prototype, 'once')!,
      );
      return Dated;
    };
    const soon = decorate(new Date(start + 90_000));
    app = await boot(subject, { providers: [soon] });
    const job = app.registry.getCronJob('date');
    expect(job.nextDate().toMillis()).toBe(start + 90_000);
    vi.advanceTimersByTime(200_000);
    expect(app.get(soon).calls).toBe(1);
    expect([job.isActive, job.lastDate()?.getTime()]).toEqual([false, start + 90_000]);
    expect(await complaint(() => boot(subject, { providers: [decorate(new Date(start - 1))] }))).toMatch(
      /WARNING: Date in past. Will never be fired.$/,
    );
  });

  test('crons in a zone and at an offset from UTC', async () => {
    @Injectable()
    class Zoned {
      @Cron('0 9 * * *', { name: 'zone', timeZone: 'Asia/Seoul' })
      zone(): void {}
      @Cron('0 9 * * *', { name: 'offset', utcOffset: -210 })
      offset(): void {}
      @Cron('0 9 * * *', { name: 'process' })
      process(): void {}
    }
    app = await boot(subject, { providers: [Zoned] });
    const next = (name: string): string => app!.registry.getCronJob(name).nextDate().toISO()!;
    expect(next('zone')).toBe('2026-03-11T09:00:00.000+09:00');
    expect(next('offset')).toBe('2026-03-10T09:00:00.000-03:30');
    expect(next('process')).toContain('T09:00:00.000');
  });

  test.each([
    ['neither', {}, [true, true, true]],
    ['no crons', { cronJobs: false }, [false, true, true]],
    ['no intervals', { intervals: false }, [true, false, true]],
    ['no timeouts', { timeouts: false }, [true, true, false]],
  ])('the options of the module: %s', async (_, options, expected) => {
    class Factory {
      createScheduleOptions = (): object => options;
    }
    class FactoryModule {}
    const shared = { module: FactoryModule, providers: [Factory], exports: [Factory] };
    const modules = [
      ScheduleModule.forRoot(options),
      ScheduleModule.forRootAsync({ useFactory: () => Promise.resolve(options) }),
      ScheduleModule.forRootAsync({ useClass: Factory }),
      ScheduleModule.forRootAsync({ imports: [shared], useExisting: Factory }),
      ScheduleModule.forRootAsync({
        imports: [shared],
        inject: [Factory],
        useFactory: (factory: Factory) => factory.createScheduleOptions(),
      }),
    ];
    for (const module of modules) {
      app = await boot(subject, { imports: [module], providers: [Jobs] });
      const { registry } = app;
      const found = [
        registry.getCronJobs().size,
        registry.getIntervals().length,
        registry.getTimeouts().length,
      ];
      expect(found.map((count) => count > 0)).toEqual(expected);
      await app.close();
    }
    app = null;
  });

  test('the module is global and exports the registry, however its options are made', () => {
    const { SchedulerRegistry } = subject.schedule;
    for (const module of [
      ScheduleModule.forRoot(),
      ScheduleModule.forRootAsync({ useFactory: () => ({}) }),
    ]) {
      expect(module).toMatchObject({ module: ScheduleModule, global: true, exports: [SchedulerRegistry] });
    }
  });

  test('the module without forRoot does not boot', async () => {
    expect(await complaint(() => boot(subject, { imports: [ScheduleModule] }))).toContain('ScheduleModule');
  });
});
