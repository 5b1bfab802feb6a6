import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HandlerNotFoundError, JobAlreadyExistsError, JobHandler, type RunContext } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('creating jobs at run time', () => {
  let app: NestApp;
  let ran: string[];

  beforeEach(async () => {
    ran = [];
    @Injectable()
    class Jobs {
      @JobHandler('work')
      work({ job, payload }: RunContext): void {
        ran.push(payload === null ? job.id : `${job.id} ${JSON.stringify(payload)}`);
      }
    }
    app = await NestApp.boot({ providers: [Jobs] });
  });
  afterEach(() => app.close());

  test('stores an interval, from every or from its parts, and runs it', async () => {
    const job = await app.scheduler.createIntervalJob({ id: 'a', handler: 'work', every: '90s' });
    expect(job).toMatchObject({
      id: 'a',
      namespace: 'default',
      source: 'api',
      app: 'default',
      state: 'pending',
      trigger: { type: 'interval', every: 90_000, anchor: '2026-01-01T00:00:00.000Z', timeZone: 'UTC' },
      nextRunAt: new Date('2026-01-01T00:01:30Z'),
      runCount: 0,
      errorCount: 0,
      lastError: null,
    });
    await app.scheduler.createIntervalJob({ id: 'b', handler: 'work', minutes: 1, seconds: 30 });
    await app.clock.advanceBy(180_000);
    expect(ran.toSorted()).toEqual(['a', 'a', 'b', 'b']);
    expect(await app.scheduler.getJob('a')).toMatchObject({ state: 'scheduled', runCount: 2 });
  });

  test('stores a cron, from an expression, from fields, or from fields as options', async () => {
    const { scheduler } = app;
    const given = { handler: 'work', timeZone: 'Asia/Seoul' };
    const jobs = [
      await scheduler.createCronJob({ ...given, expression: '0 9 * * MON' }),
      await scheduler.createCronJob({ ...given, fields: { dayOfWeek: 'mon', hour: 9, minute: 0 } }),
      await scheduler.createCronJob({ ...given, dayOfWeek: 'mon', hour: 9 }),
      await scheduler.createCronJob({ ...given, day_of_week: 'mon', hour: 9 } as never),
    ];
    for (const job of jobs) {
      expect(job).toMatchObject({ timeZone: 'Asia/Seoul', nextRunAt: new Date('2026-01-05T00:00:00Z') });
    }
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(4);
  });

  test('stores a one-off at a time in a zone, or after a delay, and forgets it when it has run', async () => {
    const { scheduler } = app;
    const at = { id: 'a', handler: 'work', runAt: '2026-01-01 09:00:10', timeZone: 'Asia/Seoul' };
    expect((await scheduler.createDateJob(at)).nextRunAt).toEqual(new Date('2026-01-01T00:00:10Z'));
    await scheduler.createDateJob({ id: 'b', handler: 'work', in: '5s', payload: { n: 1 } });
    await scheduler.createDateJob({ id: 'c', handler: 'work', in: '5s', keep: '1h' });
    await app.clock.advanceBy(10_000);
    expect(ran).toEqual(['b {"n":1}', 'c', 'a']);
    expect(await scheduler.getJob('a')).toBeNull();
    expect(await scheduler.getJob('c')).toMatchObject({ state: 'completed', runCount: 1 });
    expect((await scheduler.getAttempts({ jobId: 'a' })).items).toMatchObject([{ outcome: 'succeeded' }]);
  });

  test('runs a one-off without a delay at once', async () => {
    await app.scheduler.createDateJob({ id: 'a', handler: 'work', in: 0 });
    await app.scheduler.schedule('work', { id: 'b', in: '0s', refusePast: true });
    await app.scheduler.createMany([{ id: 'c', handler: 'work', in: { minutes: 0 } }]);
    await app.settle();
    expect(ran.toSorted()).toEqual(['a', 'b', 'c']);
  });

  test('runs a one-off of the past at once, or refuses it when asked to', async () => {
    const given = { handler: 'work', runAt: '2025-12-31 23:59:00' };
    await app.scheduler.createDateJob({ ...given, id: 'a' });
    await app.settle();
    expect(ran).toEqual(['a']);
    await expect(app.scheduler.createDateJob({ ...given, refusePast: true })).rejects.toThrow(
      'The schedule at 2025-12-31T23:59:00.000Z lies in the past: it has no instant from now on. Give a later time, or leave refusePast out',
    );
  });

  test('takes any trigger as data; a manual job runs when told to', async () => {
    await app.scheduler.createJob({ id: 'a', handler: 'work', trigger: { type: 'manual' } });
    await app.clock.advanceBy(3_600_000);
    expect(ran).toEqual([]);
    await app.scheduler.runNow('a');
    await app.settle();
    expect(ran).toEqual(['a']);
  });

  test('is refused for an id that is taken, unless told what to do then', async () => {
    const { scheduler } = app;
    const given = { id: 'a', handler: 'work' };
    await scheduler.createIntervalJob({ ...given, hours: 1 });
    const again = scheduler.createIntervalJob({ ...given, hours: 2 });
    await expect(again).rejects.toThrow(JobAlreadyExistsError);
    await expect(again).rejects.toThrow(
      'A job "a" already exists in the namespace "default". Choose another id, delete or update the existing job, or create it with onConflict: \'ignore\' or \'replace\'.',
    );
    const hours = async (onConflict: 'ignore' | 'replace'): Promise<unknown> => {
      const { trigger } = await scheduler.createIntervalJob({ ...given, hours: 3, onConflict });
      return trigger.type === 'interval' && Number(trigger.every) / 3_600_000;
    };
    expect(await hours('ignore')).toBe(1);
    expect(await hours('replace')).toBe(3);
    await scheduler.createIntervalJob({ ...given, hours: 2, namespace: 'other' });
    expect(await scheduler.countJobs()).toBe(2);
  });

  test('is refused for a schedule that has ended, unless the job may be there already', async () => {
    const given = { id: 'a', handler: 'work', hour: 9, endAt: '2025-12-31 00:00' };
    await expect(app.scheduler.createCronJob(given)).rejects.toThrow('no instant from now on');
    const job = await app.scheduler.createCronJob({ ...given, onConflict: 'ignore' });
    expect(job).toMatchObject({ nextRunAt: null, state: 'completed' });
  });

  test('needs a handler that this process or a worker has, or has had', async () => {
    const { scheduler } = app;
    const creating = scheduler.createDateJob({ handler: 'wrok', in: '1s' });
    await expect(creating).rejects.toThrow(HandlerNotFoundError);
    await expect(creating).rejects.toThrow(
      'No handler "wrok" is known here or to any worker. Known: work. Did you mean "work"? Else declare it with @JobHandler(\'wrok\'), register it with registerHandler(), or pass { allowUnknownHandler: true } if the process that has it starts later; the module and defineJob() take that option too.',
    );
    await scheduler.createDateJob({ id: 'early', handler: 'later', in: '1s', allowUnknownHandler: true });
    await app.clock.advanceBy(1_000);
    scheduler.registerHandler('later', ({ job }) => ran.push(job.id));
    await app.settle();
    expect(ran).toEqual(['early']);
  });

  test('works in a process that runs no jobs, for handlers of the others', async () => {
    const { storage, clock } = app;
    const client = await NestApp.boot({ storage, clock, chronis: { autoStart: false } });
    await client.scheduler.createDateJob({ id: 'a', handler: 'work', in: '1s' });
    await expect(client.scheduler.createDateJob({ handler: 'none', in: '1s' })).rejects.toThrow(
      HandlerNotFoundError,
    );
    await app.clock.advanceBy(6_000);
    expect(ran).toEqual(['a']);
    await client.close();
  });

  test('counts a delay by the clock of the storage, not by a local one that is wrong', async () => {
    const { storage, clock } = app;
    const { ManualClock } = await import('../../lib/testing/manual.clock.js');
    const wrong = new ManualClock(clock.now() + 3_600_000);
    const client = await NestApp.boot({ storage, chronis: { autoStart: false, clock: wrong } });
    const job = await client.scheduler.createDateJob({ handler: 'work', in: '10s' });
    expect(job.nextRunAt).toEqual(new Date(clock.now() + 10_000));
    await client.close();
  });

  test('can be done in the hooks of other modules, before the scheduler has started', async () => {
    const made: string[] = [];
    const early = {
      provide: 'early',
      inject: [(await import('../../lib/index.js')).SchedulerService],
      useFactory: (scheduler: NestApp['scheduler']) => ({
        async onModuleInit() {
          const job = await scheduler.createDateJob({ handler: 'Jobs.late', in: '1s' });
          made.push(job.handler);
        },
      }),
    };
    @Injectable()
    class Jobs {
      @JobHandler('Jobs.late')
      late(): void {
        ran.push('late');
      }
    }
    const other = await NestApp.boot({ providers: [early, Jobs] });
    expect(made).toEqual(['Jobs.late']);
    await other.clock.advanceBy(1_000);
    expect(ran).toEqual(['late']);
    await other.close();
  });

  test('keeps a copy: what the caller does to the payload later changes nothing', async () => {
    const payload = { list: [1] };
    await app.scheduler.createDateJob({ id: 'a', handler: 'work', in: '1s', payload });
    payload.list.push(2);
    await app.clock.advanceBy(1_000);
    expect(ran).toEqual(['a {"list":[1]}']);
  });

  test.each([
    ['skip', 'skip'],
    ['run_once', 'once'],
    ['run_all', 'all'],
  ] as const)('takes ifMissed and if_missed: %s for misfire: %s', async (given, misfire) => {
    const options = { handler: 'work', every: '1h', misfireLimit: { age: '2d' } };
    const jobs = [
      await app.scheduler.createIntervalJob({ ...options, ifMissed: given }),
      await app.scheduler.createIntervalJob({ ...options, if_missed: given }),
    ];
    const misfireLimit = { count: 1_000, ageMs: 172_800_000 };
    for (const { policies } of jobs) expect(policies).toEqual({ misfire, misfireLimit });
  });
});
