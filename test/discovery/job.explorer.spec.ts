import { Controller, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  At,
  Cron,
  DuplicateHandlerError,
  DuplicateJobError,
  Interval,
  InvalidOptionError,
  InvalidScheduleError,
  JobHandler,
  MemoryLock,
  MemoryStorage,
  OnJobEvent,
  type Job,
  type RunContext,
} from '../../lib/index.js';
import { JobExplorer } from '../../lib/discovery/job.explorer.js';
import { ManualClock } from '../../lib/testing/index.js';
import { NestApp } from '../support/nest.app.js';

describe('what the code declares', () => {
  let booted: NestApp | null = null;

  afterEach(async () => {
    await booted?.close();
    booted = null;
  });

  async function boot(given: Parameters<typeof NestApp.boot>[0]): Promise<NestApp> {
    return (booted = await NestApp.boot(given));
  }
  const jobs = async (): Promise<Job[]> => (await booted!.scheduler.queryJobs()).items;
  const ids = async (): Promise<string[]> => (await jobs()).map(({ id }) => id);

  test('is found on providers and on controllers', async () => {
    @Injectable()
    class Reports {
      @Cron('0 9 * * MON-FRI', { timeZone: 'Asia/Seoul' })
      daily(): void {}
    }
    @Controller()
    class Web {
      @Interval('30s')
      refresh(): void {}
    }
    await boot({ providers: [Reports], controllers: [Web] });
    expect(await jobs()).toMatchObject([
      {
        id: 'Reports.daily',
        handler: 'Reports.daily',
        namespace: 'default',
        source: 'code',
        app: 'default',
        timeZone: 'Asia/Seoul',
        state: 'pending',
        nextRunAt: new Date('2026-01-02T00:00:00Z'),
      },
      { id: 'Web.refresh', nextRunAt: new Date('2026-01-01T00:00:30Z') },
    ]);
  });

  test('may be several jobs on one method, each with an id of its own', async () => {
    @Injectable()
    class Reports {
      @At('2026-03-01 10:00:00', { id: 'launch' })
      @Interval('1h')
      @Cron('0 9 * * *')
      report(): void {}
    }
    await boot({ providers: [Reports] });
    expect(await ids()).toEqual(['Reports.report', 'Reports.report#2', 'launch']);
    expect(new Set((await jobs()).map(({ handler }) => handler))).toEqual(new Set(['Reports.report']));
  });

  test('takes every option of a job', async () => {
    @Injectable()
    class Reports {
      @Cron(
        { hour: 9, minute: 30 },
        {
          id: 'daily',
          name: 'Daily report',
          namespace: 'reports',
          queue: 'slow',
          priority: 'HIGH',
          payload: { to: 'all' },
          metadata: { team: 'sales' },
          overlap: 'allow',
          misfire: 'skip',
          misfireThreshold: '2m',
          recovery: 'abandon',
          maxRetries: 3,
          backoff: { type: 'linear', delay: '10s', max: '1m' },
          timeout: '5m',
          maxLost: 1,
          startAt: '2026-02-01 00:00:00',
          endAt: '2026-12-31 00:00:00',
          maxRuns: 100,
          jitter: '10s',
          exclude: [{ weekdays: ['SUN'] }],
          dst: { gap: 'skip' },
        },
      )
      report(): void {}
    }
    await boot({ providers: [Reports] });
    const job = await booted!.scheduler.getJob('daily', { namespace: 'reports' });
    expect(job).toMatchObject({
      name: 'Daily report',
      queue: 'slow',
      priority: 2,
      payload: { to: 'all' },
      metadata: { team: 'sales' },
      policies: {
        overlap: 'allow',
        misfire: 'skip',
        misfireThresholdMs: 120_000,
        recovery: 'abandon',
        maxRetries: 3,
        backoff: { type: 'linear', delayMs: 10_000, maxMs: 60_000 },
        timeoutMs: 300_000,
        maxLost: 1,
      },
      trigger: {
        type: 'cron',
        startAt: '2026-02-01T00:00:00.000Z',
        endAt: '2026-12-31T00:00:00.000Z',
        maxRuns: 100,
        jitter: 10_000,
        dst: { gap: 'skip' },
      },
      // 1 February 2026 is an excluded Sunday.
      nextRunAt: new Date('2026-02-02T09:30:00Z'),
    });
  });

  test('is inherited under the name of the class that is provided', async () => {
    const ran: string[] = [];
    abstract class Base {
      @Interval('10s')
      tick(): void {
        ran.push(this.constructor.name);
      }

      @Interval('10s')
      tock(): void {}
    }
    @Injectable()
    class First extends Base {}
    @Injectable()
    class Second extends Base {
      // Overridden without a decorator: nobody wants it scheduled.
      override tock(): void {}
    }
    await boot({ providers: [First, Second] });
    expect(await ids()).toEqual(['First.tick', 'First.tock', 'Second.tick']);
    await booted!.clock.advanceBy(10_000);
    expect(ran.toSorted()).toEqual(['First', 'Second']);
  });

  test('gives a method the context, whatever parameters it takes', async () => {
    const got: unknown[][] = [];
    @Injectable()
    class Reports {
      @Cron('0 0 12 1 1 *', { payload: { a: 1 } })
      withRest(...args: [RunContext]): void {
        got.push(args.map(({ job }) => job.id));
      }
      @Cron('0 0 12 1 1 *')
      withOne(context: RunContext): void {
        got.push([context.job.id, context.nominalAt.toISOString(), context.attempt, context.origin]);
      }
      @Cron('0 0 12 1 1 *')
      withDefault(context: RunContext | null = null): void {
        got.push([context?.job.id]);
      }
    }
    await boot({ providers: [Reports] });
    await booted!.clock.advanceBy(12 * 3_600_000);
    expect(got).toContainEqual(['Reports.withOne', '2026-01-01T12:00:00.000Z', 1, 'schedule']);
    expect(got).toContainEqual(['Reports.withDefault']);
    expect(got).toContainEqual(['Reports.withRest']);
  });

  test('makes request-scoped and transient providers anew for each run', async () => {
    const made: string[] = [];
    const ran: unknown[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      constructor(@Inject(REQUEST) readonly context: RunContext) {
        made.push('request');
      }
      @Interval('10s')
      run(context: RunContext): void {
        ran.push(context === this.context && 'request');
      }
    }
    @Injectable()
    class Bubbling {
      constructor(@Inject(PerRequest) readonly inner: PerRequest) {
        made.push('bubbling');
      }
      @Interval('10s')
      run(context: RunContext): void {
        ran.push(context === this.inner.context && 'bubbling');
      }
    }
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {
      readonly number = made.push('transient');
      @Interval('10s')
      run(): void {
        ran.push(this.number > 0 && 'transient');
      }
    }
    await boot({ providers: [PerRequest, Bubbling, Transient] });
    made.length = 0;
    await booted!.clock.advanceBy(20_000);
    expect((ran as string[]).toSorted()).toEqual([
      'bubbling',
      'bubbling',
      'request',
      'request',
      'transient',
      'transient',
    ]);
    expect(made.filter((name) => name === 'bubbling')).toHaveLength(2);
    expect(made.filter((name) => name === 'transient')).toHaveLength(2);
  });

  test('is not doubled by aliases, nor by a second token for one instance', async () => {
    @Injectable()
    class Reports {
      @Interval('1m')
      run(): void {}
    }
    await boot({
      providers: [
        Reports,
        { provide: 'alias', useExisting: Reports },
        { provide: 'same', useFactory: (reports: Reports) => reports, inject: [Reports] },
      ],
    });
    expect(await ids()).toEqual(['Reports.run']);
  });

  test('renames no id that the same code declares, and the start says so', async () => {
    @Injectable()
    class Swapped {
      @Interval('1m', { id: 'Y', previousIds: ['X'] })
      x(): void {}

      @Interval('2m', { id: 'X', previousIds: ['Y'] })
      y(): void {}

      @Interval('3m', { id: 'new', previousIds: ['gone'] })
      renamed(): void {}

      @Interval('3m', { id: 'apart', namespace: 'other', previousIds: ['X'] })
      elsewhere(): void {}
    }
    await boot({ providers: [Swapped] });
    const namespace = 'default';
    expect(booted!.heard('renames.ignored')).toEqual([
      {
        renames: [
          { place: 'Swapped.x', namespace, id: 'Y', previousId: 'X', declaredBy: 'Swapped.y' },
          { place: 'Swapped.y', namespace, id: 'X', previousId: 'Y', declaredBy: 'Swapped.x' },
        ],
      },
    ]);
  });

  test('is one job where two modules provide the same class, and the log says so', async () => {
    @Injectable()
    class Reports {
      @Interval('1m')
      run(): void {}
    }
    @Module({ providers: [Reports] })
    class First {}
    @Module({ providers: [Reports] })
    class Second {}
    await boot({ imports: [First, Second] });
    expect(await ids()).toEqual(['Reports.run']);
    expect(booted!.heard('jobs.explored')).toEqual([
      {
        jobs: 1,
        handlers: ['Reports.run'],
        runs: [{ handler: 'Reports.run', queue: 'default', origin: 'schedule' }],
        repeated: [{ className: 'Reports', used: 'First', ignored: 'Second' }],
      },
    ]);
  });

  test('is refused where two providers of one class are meant, as their jobs need two ids', async () => {
    class Poller {
      constructor(readonly url: string) {}
      @Interval('1m')
      poll(): void {}
    }
    const providers = ['a', 'b'].map((url) => ({ provide: url, useFactory: () => new Poller(url) }));
    await expect(NestApp.boot({ providers })).rejects.toThrow(
      'Two methods declare the job "Poller.poll": Poller.poll (a in AppModule) and Poller.poll (b in AppModule). Give one of them another id: { id: \'…\' }.',
    );
  });

  test('is refused where two classes have one name, also in one module', async () => {
    const classes = ['1m', '2m'].map((every) => {
      @Injectable()
      class Dup {
        @Interval(every)
        tick(): void {}
      }
      return Dup;
    });
    await expect(NestApp.boot({ providers: classes })).rejects.toThrow(
      'Two methods declare the job "Dup.tick": Dup.tick (AppModule) and Dup.tick of another class of that name (AppModule). Give one of them another id: { id: \'…\' }.',
    );
  });

  test('is refused with both places when an id is taken twice', async () => {
    @Injectable()
    class First {
      @Cron('0 9 * * *', { id: 'daily' })
      run(): void {}
    }
    @Injectable()
    class Second {
      @Interval('1h', { id: 'daily' })
      run(): void {}
    }
    @Injectable()
    class Twice {
      @Interval('1h', { id: 'daily' })
      @Interval('2h', { id: 'daily' })
      run(): void {}
    }
    const booting = NestApp.boot({ providers: [First, Second] });
    await expect(booting).rejects.toThrow(DuplicateJobError);
    await expect(booting).rejects.toThrow(
      'Two methods declare the job "daily": First.run and Second.run. Give one of them another id: { id: \'…\' }.',
    );
    await expect(NestApp.boot({ providers: [Twice] })).rejects.toThrow(
      'The method Twice.run declares the job "daily" twice. Give one of its decorators another id: { id: \'…\' }.',
    );
  });

  test('may use one id in two namespaces', async () => {
    @Injectable()
    class Reports {
      @Cron('0 9 * * *', { id: 'daily', namespace: 'a' })
      @Cron('0 9 * * *', { id: 'daily', namespace: 'b' })
      run(): void {}
    }
    await boot({ providers: [Reports] });
    expect(await ids()).toEqual(['daily', 'daily']);
  });

  test('names its handler by @JobHandler, which jobs created at run time can use as well', async () => {
    const ran: string[] = [];
    @Injectable()
    class Reports {
      @JobHandler('report')
      @Interval('1m', { id: 'minutely' })
      run({ job }: RunContext): void {
        ran.push(job.id);
      }
    }
    await boot({ providers: [Reports] });
    await booted!.scheduler.createDateJob({ id: 'once', handler: 'report', in: '30s' });
    await booted!.clock.advanceBy(60_000);
    expect(ran).toEqual(['once', 'minutely']);
  });

  test('may say by functions which errors are worth a retry, and when it is due; nothing of it is stored', async () => {
    const attempts: string[] = [];
    const retryIf = (error: unknown): boolean => (error as Error).message === 'busy';
    @Injectable()
    class Reports {
      @JobHandler('report', { retryIf, backoff: (retry) => retry * 2_000 })
      run({ attempt }: RunContext): void {
        attempts.push(`report ${attempt}`);
        throw new Error(attempt === 1 ? 'busy' : 'gone');
      }
      @Interval('1m', { retryIf, backoff: () => '3s', maxRetries: 2 })
      @Cron('0 0 1 1 *', { retryIf, backoff: '1m' })
      poll({ attempt }: RunContext): void {
        attempts.push(`poll ${attempt}`);
        throw new Error(attempt === 1 ? 'busy' : 'gone');
      }
    }
    await boot({ providers: [Reports] });
    await booted!.scheduler.createDateJob({ id: 'z', handler: 'report', in: '30s', maxRetries: 5 });
    await booted!.clock.advanceBy(31_999);
    expect(attempts).toEqual(['report 1']);
    await booted!.clock.advanceBy(30_000);
    expect(attempts).toEqual(['report 1', 'report 2', 'poll 1']);
    await booted!.clock.advanceBy(1_001);
    expect(attempts).toEqual(['report 1', 'report 2', 'poll 1', 'poll 2']);
    expect((await jobs()).map(({ id, policies }) => [id, policies])).toEqual([
      ['Reports.poll', { backoff: { type: 'fixed', delayMs: 60_000 } }],
      ['Reports.poll#2', { maxRetries: 2 }],
      ['z', { maxRetries: 5 }],
    ]);
  });

  test('is refused with both places when two handlers have one name', async () => {
    @Injectable()
    class First {
      @JobHandler('report')
      run(): void {}
    }
    @Injectable()
    class Second {
      @JobHandler('report')
      run(): void {}
    }
    const booting = NestApp.boot({ providers: [First, Second] });
    await expect(booting).rejects.toThrow(DuplicateHandlerError);
    await expect(booting).rejects.toThrow(
      'Two handlers are registered as "report": First.run and Second.run. Give one of them another name, for a method by @JobHandler(\'…\').',
    );
  });

  test('does not count while it is disabled', async () => {
    @Injectable()
    class Reports {
      @Interval('1m', { disabled: true })
      off(): void {}
      @Interval('2m', { disabled: true })
      @Interval('1m', { disabled: false })
      on(): void {}
    }
    await boot({ providers: [Reports] });
    expect(await ids()).toEqual(['Reports.on']);
    expect(booted!.heard('jobs.explored')[0]!.handlers).toEqual(['Reports.on']);
  });

  describe('is refused at boot, with the decorator and the method in the message, for', () => {
    const refusals: [string, MethodDecorator, new (...args: never[]) => Error, string][] = [
      ['an empty cron', Cron(''), InvalidScheduleError, '@Cron on Jobs.run: '],
      [
        'a zone that does not exist',
        Cron('0 9 * * *', { timeZone: 'Asia/Soul' }),
        InvalidScheduleError,
        '@Cron on Jobs.run: timeZone: Asia/Soul is not an IANA time zone. Did you mean "Asia/Seoul"?',
      ],
      [
        'an interval of zero',
        Interval(0),
        InvalidScheduleError,
        '@Interval on Jobs.run: every: 0 must be longer than zero.',
      ],
      [
        'a negative interval',
        Interval(-5),
        InvalidScheduleError,
        '@Interval on Jobs.run: every: -5 must be longer than zero.',
      ],
      [
        'NaN',
        Interval(NaN),
        InvalidScheduleError,
        '@Interval on Jobs.run: every: NaN is not a finite number.',
      ],
      [
        'a date that is none',
        At('2026-02-30 10:00:00'),
        InvalidScheduleError,
        '@At on Jobs.run: at: "2026-02-30 10:00:00" has the day 30; it must be 1 to 28.',
      ],
      [
        'an unknown option',
        Cron('0 9 * * *', { timezone: 'UTC' } as object),
        InvalidOptionError,
        '@Cron on Jobs.run: timezone: @Cron has no such option. Did you mean "timeZone"?',
      ],
      [
        'an option of another decorator',
        Interval('5m', { dst: {} } as object),
        InvalidOptionError,
        '@Interval on Jobs.run: dst: @Interval has no such option. There are: id, ',
      ],
      [
        'options that are none',
        Cron('0 9 * * *', 'UTC' as never),
        InvalidOptionError,
        "@Cron on Jobs.run: options: @Cron takes an object, but was given 'UTC'.",
      ],
      [
        'options that are null',
        Cron('0 9 * * *', null as never),
        InvalidOptionError,
        '@Cron on Jobs.run: options: @Cron takes an object, but was given null.',
      ],
      [
        'options of a handler that are null',
        JobHandler('run', null as never),
        InvalidOptionError,
        '@JobHandler on Jobs.run: options: @JobHandler takes an object, but was given null.',
      ],
      [
        'options of a listener that are null',
        OnJobEvent('failed', null as never) as MethodDecorator,
        InvalidOptionError,
        '@OnJobEvent on Jobs.run: options: @OnJobEvent takes an object, but was given null.',
      ],
      [
        'a policy that does not exist',
        Cron('0 9 * * *', { overlap: 'skipp' as never }),
        InvalidOptionError,
        "@Cron on Jobs.run: overlap: must be 'skip' or 'allow' or 'queue' or 'cancel-running', but is 'skipp'. Did you mean 'skip'?",
      ],
      [
        'ids that are no list',
        Cron('0 9 * * *', { previousIds: 'old' as never }),
        InvalidOptionError,
        "@Cron on Jobs.run: previousIds: must be a list of at most 100 ids, but is 'old'.",
      ],
      [
        'a rule that is no function',
        Cron('0 9 * * *', { retryIf: true as never }),
        InvalidOptionError,
        '@Cron on Jobs.run: retryIf: must be a function, but is true.',
      ],
      [
        'a rule of a handler that is data',
        JobHandler('work', { backoff: 500 as never }),
        InvalidOptionError,
        '@JobHandler on Jobs.run: backoff: must be a function, but is 500. Data belongs to the job.',
      ],
      [
        'a rule that does not exist',
        JobHandler('work', { retryif: () => true } as never),
        InvalidOptionError,
        '@JobHandler on Jobs.run: retryif: @JobHandler has no such option. Did you mean "retryIf"?',
      ],
      [
        'two rules for one method',
        ((...given: Parameters<MethodDecorator>) => {
          Interval('1m', { retryIf: () => true })(...given);
          JobHandler('work', { retryIf: () => false })(...given);
        }) as MethodDecorator,
        InvalidOptionError,
        '@JobHandler on Jobs.run: retryIf: another decorator of the method gives another function. Give it once.',
      ],
      [
        'a handler without a name',
        JobHandler(' '),
        InvalidOptionError,
        "@JobHandler on Jobs.run: name: must be a non-empty text, but is ' '.",
      ],
    ];
    test.each(refusals)('%s', async (_, decorate, type, message) => {
      @Injectable()
      class Jobs {
        @decorate
        run(): void {}
      }
      const booting = NestApp.boot({ providers: [Jobs] });
      await expect(booting).rejects.toThrow(type);
      await expect(booting).rejects.toThrow(message);
      // Nest prints the stack when a boot fails.
      await expect(booting).rejects.toMatchObject({ stack: expect.stringContaining(message) });
    });
  });
});

test('names that a bundler seems to have given are told where they are stored, unless nothing is called by them', async () => {
  @Injectable()
  class s {
    @Cron('0 9 * * *')
    both(): void {}
    @Cron('0 9 * * *', { id: 'named' })
    handler(): void {}
    @JobHandler('mail')
    @Cron('0 9 * * *')
    job(): void {}
    @JobHandler('clean')
    @Cron('0 9 * * *', { id: 'clean' })
    neither(): void {}
  }
  @Injectable()
  class Job {
    @Cron('0 9 * * *')
    run(): void {}
  }
  const clock = new ManualClock();
  const providers = [s, Job];
  const storage = Object.assign(new MemoryStorage({ clock }), { shared: true });
  const lock = Object.assign(new MemoryLock({ clock }), { shared: true });
  const stored = await NestApp.boot({ clock, providers, chronis: { storage, lock } });
  await stored.close();
  expect(stored.heard('names.minified')).toEqual([{ methods: ['s.both', 's.handler', 's.job'] }]);
  const forgotten = await NestApp.boot({ providers });
  await forgotten.close();
  expect(forgotten.heard('names.minified')).toEqual([]);
});

test('names of a bundle are told as long as it gives them: its own of this package tell what it does', async () => {
  const named = (className: string) => {
    class Jobs {
      @Cron('0 9 * * *')
      run(): void {}
    }
    Injectable()(Jobs);
    return Object.defineProperty(Jobs, 'name', { value: className });
  };
  const told = async () => {
    const clock = new ManualClock();
    const storage = Object.assign(new MemoryStorage({ clock }), { shared: true });
    const lock = Object.assign(new MemoryLock({ clock }), { shared: true });
    const providers = ['kye', '$7a', 'Fye', 'Jobs', 'Tasks'].map(named);
    const app = await NestApp.boot({ clock, providers, chronis: { storage, lock } });
    await app.close();
    return app.heard('names.minified');
  };
  expect(await told()).toEqual([{ methods: ['kye.run', '$7a.run'] }]);
  const { name } = JobExplorer;
  Object.defineProperty(JobExplorer, 'name', { value: 'Qe' });
  try {
    expect(await told()).toEqual([{ methods: ['kye.run', '$7a.run', 'Fye.run', 'Jobs.run'] }]);
  } finally {
    Object.defineProperty(JobExplorer, 'name', { value: name });
  }
});
