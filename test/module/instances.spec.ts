import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, test } from 'vitest';
import {
  ChronisEvents,
  ChronisModule,
  Cron,
  getChronisEventsToken,
  getSchedulerToken,
  InjectChronisEvents,
  InjectRunContext,
  InjectScheduler,
  Interval,
  JobHandler,
  OnJobEvent,
  SchedulerService,
  type ChronisModuleOptions,
  type RunContext,
} from '../../lib/index.js';
import type { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ChronisTesting, ChronisTestingError, ManualClock } from '../../lib/testing/index.js';
import { typeOrmLock, typeOrmStorage } from '../../lib/typeorm/index.js';
import { NestApp } from '../support/nest.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const seen: string[] = [];
let close: () => Promise<void> = async () => undefined;
afterEach(async () => {
  await close();
  close = async () => undefined;
  seen.length = 0;
});

@Injectable()
class Jobs {
  constructor(
    @Inject(SchedulerService) readonly scheduler: SchedulerService,
    @InjectScheduler('reports') readonly reports: SchedulerService,
    @InjectChronisEvents('reports') readonly reportEvents: ChronisEvents,
  ) {}

  @Interval('1h', { id: 'sync' })
  sync(): void {
    seen.push('sync');
  }

  @Cron('0 2 * * *', { id: 'nightly', instance: 'reports' })
  nightly(): void {
    seen.push('nightly');
  }

  @JobHandler('both')
  @JobHandler('both', { instance: 'reports' })
  both({ payload }: RunContext<string>): void {
    seen.push(`both: ${payload}`);
  }

  @OnJobEvent('succeeded', { instance: 'reports' })
  heard({ jobId }: { jobId: string }): void {
    seen.push(`heard ${jobId}`);
  }
}

describe('several instances in one application', () => {
  test('have jobs, handlers, events and time of their own', async () => {
    const chronis = await ChronisTesting.create({
      imports: [
        ChronisModule.forRoot(),
        ChronisModule.forRoot({ instance: 'reports', timeZone: 'Asia/Seoul' }),
      ],
      providers: [Jobs],
    });
    close = () => chronis.close();
    const reports = chronis.instance('reports');
    expect((await chronis.jobs()).map(({ id }) => id)).toEqual(['sync']);
    expect((await reports.jobs()).map(({ id, timeZone }) => `${id} ${timeZone}`)).toEqual([
      'nightly Asia/Seoul',
    ]);
    const { scheduler, reports: injected, reportEvents } = chronis.app.get(Jobs);
    expect(scheduler).toBe(chronis.scheduler);
    expect(injected).toBe(reports.scheduler);
    expect(injected).not.toBe(scheduler);
    expect(reportEvents).not.toBe(chronis.app.get(ChronisEvents));
    await scheduler.createDateJob({ handler: 'both', in: '30m', payload: 'default' });
    await injected.createDateJob({ id: 'b', handler: 'both', in: '40m', payload: 'reports' });
    await chronis.advanceBy('1h');
    expect(seen).toEqual(['both: default', 'both: reports', 'heard b', 'sync']);
    await chronis.advanceTo('2026-01-01T17:00:00Z');
    expect(seen.filter((line) => line.endsWith('nightly'))).toEqual(['nightly', 'heard nightly']);
    expect(await reports.ledger()).toHaveLength(2);
    expect(await chronis.ledger('nightly')).toEqual([]);
  });

  test('are named where a test asks for one that is not there, and the only one is what a test is of', async () => {
    const create = async (...names: string[]): Promise<ChronisTesting> => {
      const imports = names.map((instance) => ChronisModule.forRoot({ instance }));
      const chronis = await ChronisTesting.create({ imports });
      close = () => chronis.close();
      return chronis;
    };
    const only = await create('reports');
    expect(only.scheduler).toBe(only.instance('reports').scheduler);
    expect(await only.transaction(() => 'done')).toBe('done');
    expect(() => only.instance('report')).toThrow(
      'The application has no instance "report" of ChronisModule. There is: "reports". Name the one that is meant: chronis.instance(\'reports\').',
    );
    await only.close();
    const two = await create('reports', 'local');
    const problem =
      'The application has no instance "default" of ChronisModule. There are: "reports", "local". Name the one that is meant: chronis.instance(\'reports\').';
    expect(() => two.scheduler).toThrow(ChronisTestingError);
    expect(() => two.scheduler).toThrow(problem);
    await expect(two.jobs()).rejects.toThrow(problem);
    await expect(two.run('nightly')).rejects.toThrow(problem);
    await expect(two.transaction(() => 'done')).rejects.toThrow(problem);
    expect(await two.advanceBy('1h')).toEqual([]);
    expect(await two.instance('local').jobs()).toEqual([]);
  });

  test('have a method run in every process, beside what runs once among all', async () => {
    @Injectable()
    class Caches {
      @Interval('1h', { id: 'report' })
      report(): void {
        seen.push('report');
      }
      @Interval('1h', { id: 'refresh', instance: 'local' })
      refresh(): void {
        seen.push('refresh');
      }
    }
    const clock = new ManualClock();
    const boot = (storage?: MemoryStorage): Promise<NestApp> =>
      NestApp.boot({
        ...{ clock, storage, providers: [Caches] },
        imports: [ChronisModule.forRoot({ instance: 'local', clock })],
      });
    const first = await boot();
    const second = await boot(first.storage);
    close = async () => {
      await second.close();
      await first.close();
    };
    await clock.advanceBy(3_600_000);
    expect(seen.toSorted()).toEqual(['refresh', 'refresh', 'report']);
    expect((await first.scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['report']);
  });

  test('run on two schemas of one database', async () => {
    const [first, second] = [freshSchema('one'), freshSchema('two')];
    const on = (schema: string, given: ChronisModuleOptions = {}) =>
      ChronisModule.forRootAsync({
        instance: given.instance,
        useFactory: () => ({ storage: typeOrmStorage({ url: databaseUrl(), schema }), lock: typeOrmLock() }),
      });
    @Module({ imports: [on(first), on(second, { instance: 'reports' })], providers: [Jobs] })
    class AppModule {}
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    close = () => app.close();
    const { scheduler, reports, reportEvents } = app.get(Jobs);
    const ran = [
      app.get(ChronisEvents).once('run.succeeded', ({ jobId }) => jobId === 'a'),
      reportEvents.once('run.succeeded', ({ jobId }) => jobId === 'a'),
    ];
    await scheduler.createDateJob({ id: 'a', handler: 'both', runAt: new Date(), payload: 'first' });
    await reports.createDateJob({ id: 'a', handler: 'both', runAt: new Date(), payload: 'second' });
    await Promise.all(ran);
    expect(seen.filter((line) => line.startsWith('both')).toSorted()).toEqual([
      'both: first',
      'both: second',
    ]);
    const idsOf = async (service: SchedulerService) => (await service.queryJobs()).items.map(({ id }) => id);
    expect([await idsOf(scheduler), await idsOf(reports)]).toEqual([['sync'], ['nightly']]);
  });

  test('may be one that has a name, and is not global', async () => {
    @Injectable()
    class Scoped {
      constructor(@InjectRunContext() private readonly run: RunContext | null) {}

      @JobHandler('scoped', { instance: 'reports' })
      scoped(): string {
        return this.run!.job.id;
      }
    }
    const chronis = await ChronisTesting.create({
      imports: [ChronisModule.forRoot({ instance: 'reports', isGlobal: false })],
      providers: [Scoped],
    });
    close = () => chronis.close();
    const reports = chronis.instance('reports');
    await reports.scheduler.createJob({ id: 'x', handler: 'scoped', trigger: { type: 'manual' } });
    expect(await reports.run('x')).toMatchObject({ result: 'x' });
    expect(() => chronis.app.get(getSchedulerToken('reports'))).not.toThrow();
  });

  test('have tokens of their own where a minifier has made the names of classes equal', () => {
    const parts = [SchedulerService, ChronisEvents];
    const names = parts.map(({ name }) => name);
    for (const part of parts) Object.defineProperty(part, 'name', { value: 'e' });
    try {
      expect([getSchedulerToken('reports'), getChronisEventsToken('reports')]).toEqual([
        'SchedulerService of reports',
        'ChronisEvents of reports',
      ]);
    } finally {
      for (const [i, part] of parts.entries()) Object.defineProperty(part, 'name', { value: names[i] });
    }
  });

  test('are refused at boot when names do not fit', async () => {
    const create = (modules: ChronisModuleOptions[], provider: new () => object) =>
      ChronisTesting.create({
        imports: modules.map((options) => ChronisModule.forRoot(options)),
        providers: [provider],
      });
    @Injectable()
    class Misspelt {
      @Interval('1h', { instance: 'reprots' })
      run(): void {}
    }
    @Injectable()
    class Nameless {
      @Interval('1h')
      run(): void {}
    }
    @Injectable()
    class Listener {
      @OnJobEvent('failed', { instance: 'reprots' })
      run(): void {}
    }
    await expect(create([{}, { instance: 'reports' }], Misspelt)).rejects.toThrow(
      '@Interval on Misspelt.run: instance: no ChronisModule has the name "reprots". There are: "default", "reports".',
    );
    await expect(create([{ instance: 'reports' }], Nameless)).rejects.toThrow(
      '@Interval on Nameless.run: instance: no ChronisModule has the name "default". There are: "reports".',
    );
    await expect(create([{}], Listener)).rejects.toThrow(
      '@OnJobEvent on Listener.run: instance: no ChronisModule',
    );
    await expect(create([{ instance: 'a' }, { instance: 'a' }], class Empty {})).rejects.toThrow(
      'forRoot() is imported 2 times for the instance "a".',
    );
    expect(() => ChronisModule.forRoot({ instance: '' })).toThrow('instance');
  });
});
