import { Inject, Injectable, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  Cron,
  CronTime,
  Interval,
  SchedulerRegistry,
  StoredJob,
  type CronOptions,
} from '../../lib/schedule/index.js';
import { Cluster, type Process } from './cluster.js';

let cluster: Cluster;
let calls: string[];
let unhandled: unknown[];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  cluster = new Cluster();
  calls = [];
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await cluster.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

@Injectable()
class Jobs {
  @Cron('*/10 * * * * *', { name: 'ten', timeZone: 'UTC' })
  ten(): void {
    calls.push('ten');
  }
  @Interval('seven', 7_000)
  seven(): void {
    calls.push('seven');
  }
}

/** A class with one cron at every tenth second. */
function withCron(
  options: CronOptions,
  run: () => unknown = () => calls.push('run'),
  time = '*/10 * * * * *',
) {
  @Injectable()
  class One {
    @Cron(time, { name: 'ten', timeZone: 'UTC', ...options } as CronOptions)
    job(): unknown {
      return run();
    }
  }
  return { providers: [One] };
}

const count = (name: string): number => calls.filter((call) => call === name).length;
const gapsOf = async ({ scheduler }: Process, jobId = 'ten') =>
  (await scheduler.getGaps({ jobId })).items.map(({ verdict, count, reason }) => ({
    verdict,
    count,
    reason,
  }));

/** Closes one of the processes while time goes on. */
async function closing({ app }: Process): Promise<void> {
  let open = true;
  const closed = app.close().finally(() => (open = false));
  for (let i = 0; open && i < 600; i++) await cluster.pass(100);
  await closed;
}

describe('what an application does with its handles concerns its own process', () => {
  describe.each(['onModuleDestroy', 'beforeApplicationShutdown', 'onApplicationShutdown'] as const)(
    'a hook %s that stops and deletes everything',
    (hook) => {
      function cleaner(): unknown {
        class Cleaner {
          constructor(readonly registry: SchedulerRegistry) {}
        }
        Inject(SchedulerRegistry)(Cleaner, undefined as never, 0);
        (Cleaner.prototype as never as Record<string, unknown>)[hook] = function (this: Cleaner) {
          for (const [name, job] of this.registry.getCronJobs()) {
            void job.stop();
            this.registry.deleteCronJob(name);
          }
          for (const name of this.registry.getIntervals()) this.registry.deleteInterval(name);
        };
        Injectable()(Cleaner);
        return Cleaner;
      }

      test('of an old process leaves the new one at work', async () => {
        const old = await cluster.boot({ providers: [Jobs, cleaner() as Type] });
        await cluster.pass(10_000);
        const next = await cluster.boot({ providers: [Jobs, cleaner() as Type] });
        await closing(old);
        calls = [];
        await cluster.pass(70_000);
        expect([count('ten'), count('seven')]).toEqual([7, 10]);
        expect(await next.scheduler.countJobs({ state: 'paused' })).toBe(0);
        expect(await gapsOf(next)).toEqual([]);
      });

      test('does not outlive a restart, and what was due meanwhile runs after it', async () => {
        const only = await cluster.boot({ providers: [Jobs, cleaner() as Type] });
        await closing(only);
        await cluster.pass(15_000);
        expect(calls).toEqual([]);
        await cluster.boot({ providers: [Jobs] });
        expect(count('ten')).toBeGreaterThan(0);
        calls = [];
        await cluster.pass(10_000);
        expect(count('ten')).toBe(1);
      });
    },
  );

  test('stop() ends the part of this process; the others and those to come go on', async () => {
    const one = await cluster.boot(withCron({}, () => calls.push('one')));
    const job = one.registry.getCronJob('ten');
    await job.stop();
    expect(job.isActive).toBe(false);
    const two = await cluster.boot(withCron({}, () => calls.push('two')));
    await cluster.pass(60_000);
    expect(calls).toEqual(Array.from({ length: 6 }, () => 'two'));
    expect(two.registry.getCronJob('ten').isActive).toBe(true);
    expect((await one.scheduler.getJob('ten'))?.paused).toBeNull();
    await closing(two);
    calls = [];
    await job.start();
    await cluster.pass(10_000);
    expect(calls).toContain('one');
  });

  test('where all have stopped it nothing runs, and start() goes on with the next instant', async () => {
    const [one, two] = [await cluster.boot({ providers: [Jobs] }), await cluster.boot({ providers: [Jobs] })];
    for (const { registry } of [one, two]) {
      void registry.getCronJob('ten').stop();
      void registry.getInterval<StoredJob>('seven').stop();
    }
    await cluster.pass(65_000);
    expect(calls).toEqual([]);
    await one.registry.getCronJob('ten').start();
    await cluster.pass(4_900);
    expect(calls).toEqual([]);
    await cluster.pass(200);
    expect(calls).toEqual(['ten']);
    expect(await gapsOf(one)).toEqual([{ verdict: 'paused', count: 6, reason: 'withdrawn' }]);
    await one.registry.getInterval<StoredJob>('seven').start();
    expect(await gapsOf(one, 'seven')).toEqual([{ verdict: 'paused', count: 10, reason: 'withdrawn' }]);
    expect(two.registry.getCronJob('ten').isActive).toBe(false);
  });

  test('start() in one process takes nothing from another that goes on', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    const two = await cluster.boot({ providers: [Jobs] });
    const job = one.registry.getCronJob('ten');
    for (let i = 0; i < 12; i++) {
      await job.stop();
      await cluster.pass(2_500);
      await job.start();
      await cluster.pass(2_500);
    }
    expect(count('ten')).toBe(6);
    expect(await gapsOf(two)).toEqual([]);
  });

  test('a cron that stops itself while it runs misses what falls into the run, and goes on', async () => {
    let finish = (): void => undefined;
    const one = await cluster.boot(
      withCron({}, async () => {
        calls.push('begin');
        await one.registry.getCronJob('ten').stop();
        await new Promise<void>((resolve) => (finish = resolve));
        await one.registry.getCronJob('ten').start();
      }),
    );
    await cluster.pass(34_000);
    expect(calls).toEqual(['begin']);
    finish();
    await cluster.pass(5_000);
    expect(calls).toEqual(['begin']);
    await cluster.pass(1_000);
    expect(calls).toEqual(['begin', 'begin']);
    finish();
  });

  test('what is stopped for long is not made up for after a restart', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    await one.registry.getCronJob('ten').stop();
    await cluster.pass(95_000);
    await closing(one);
    const two = await cluster.boot({ providers: [Jobs] });
    expect([count('ten'), two.registry.getCronJob('ten').isActive]).toEqual([0, true]);
    expect(await gapsOf(two)).toEqual([{ verdict: 'paused', count: 9, reason: 'withdrawn' }]);
    await cluster.pass(10_000);
    expect(count('ten')).toBe(1);
  });

  test('what stays stopped is put on record by the hour', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    await one.registry.getCronJob('ten').stop();
    await cluster.pass(3_600_000);
    expect(await gapsOf(one)).toEqual([{ verdict: 'paused', count: 360, reason: 'withdrawn' }]);
    expect(count('ten')).toBe(0);
  });

  test('a crash while it is stopped leaves nothing behind', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    await one.registry.getCronJob('ten').stop();
    const two = await cluster.boot({ providers: [Jobs] });
    expect(two.registry.getCronJob('ten').isActive).toBe(true);
    await cluster.pass(20_000);
    expect(count('ten')).toBe(2);
  });

  test('deleting by the registry ends the part of this process, and frees the name', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    one.registry.deleteCronJob('ten');
    one.registry.deleteInterval('seven');
    expect([one.registry.doesExist('cron', 'ten'), one.registry.getIntervals()]).toEqual([false, []]);
    await cluster.pass(30_000);
    expect(calls).toEqual([]);
    expect((await one.scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['seven', 'ten']);
    await cluster.boot({ providers: [Jobs] });
    await cluster.pass(30_000);
    expect([count('ten') >= 3, count('seven') >= 4]).toEqual([true, true]);
  });

  test('fireOnTick() of a stopped one calls the method here', async () => {
    const one = await cluster.boot(withCron({}));
    const job = one.registry.getCronJob('ten');
    await job.stop();
    await job.fireOnTick();
    expect(calls).toEqual(['run']);
    expect(job.lastDate()).toEqual(new Date('2026-03-10T10:00:00Z'));
    expect((await one.scheduler.getAttempts({ jobId: 'ten' })).items).toEqual([]);
  });

  test("a pause for all processes is the scheduler's: a handle tells of it and does not lift it", async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    await one.scheduler.pauseJob('ten', { reason: 'month end' });
    const two = await cluster.boot({ providers: [Jobs] });
    const job = two.registry.getCronJob('ten');
    expect(job.isActive).toBe(false);
    await job.start();
    await cluster.pass(30_000);
    expect([count('ten'), job.isActive]).toEqual([0, false]);
    const told = two.log.lines.filter(({ message }) => String(message).includes('The job "ten" is paused'));
    expect(told.map(({ level, context }) => [level, context])).toEqual([['warn', 'Scheduler']]);
    expect(told[0]!.message).toContain('(month end)');
    expect(told[0]!.message).toContain('SchedulerService.resumeJob("ten")');
    await two.scheduler.resumeJob('ten');
    await cluster.pass(10_000);
    expect(count('ten')).toBe(1);
  });

  test('a job whose schedule was changed at run time is told of at the boot, and its handle follows', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    const time = new CronTime('*/20 * * * * *', 'Asia/Seoul');
    await one.registry.getCronJob('ten').setTime(time as never);
    const two = await cluster.boot({ providers: [Jobs] });
    expect(two.log.lines.map(({ message }) => message)).toContain(
      'The job "ten" is stored with the schedule "*/20 * * * * *" (Asia/Seoul), not with that of the code, "*/10 * * * * *" (UTC): it was changed at run time by CronJob.setTime() on 2026-03-10T10:00:00.000Z. SchedulerService.resetJob("ten") brings the code\'s back.',
    );
    expect(two.registry.getCronJob('ten').nextDate().toMillis() % 20_000).toBe(0);
  });

  test('a time that is set is kept when a deploy changes the code, and taken back by setting that of the code, or by resetJob', async () => {
    const one = await cluster.boot(withCron({ name: 'ten' }));
    const cron = one.registry.getCronJob('ten');
    await cron.setTime(new CronTime('*/20 * * * * *', 'UTC') as never);
    expect((await one.scheduler.getJob('ten'))!.changed?.trigger).toMatchObject({
      declared: { expression: '*/10 * * * * *' },
      by: 'CronJob.setTime()',
    });
    await cron.setTime(new CronTime('*/10 * * * * *', 'UTC') as never);
    expect((await one.scheduler.getJob('ten'))!.changed).toBeNull();
    await cron.setTime(new CronTime('*/20 * * * * *', 'UTC') as never);
    const two = await cluster.boot(withCron({ name: 'ten' }, undefined, '*/30 * * * * *'));
    expect((await two.scheduler.getJob('ten'))!.trigger).toMatchObject({ expression: '*/20 * * * * *' });
    const reset = await two.scheduler.resetJob('ten');
    expect(reset).toMatchObject({ trigger: { expression: '*/30 * * * * *' }, changed: null });
  });
});

test.each([true, false])(
  'in a process that runs no jobs handles wait for nobody (syncDeclarations: %s)',
  async (syncDeclarations) => {
    if (!syncDeclarations) await cluster.boot({ providers: [Jobs] });
    const idle = { autoStart: false, syncDeclarations };
    const { registry, scheduler } = await cluster.boot({ providers: [Jobs], chronis: idle });
    await registry.getCronJob('ten').setTime(new CronTime('*/20 * * * * *', 'UTC') as never);
    await registry.getInterval<StoredJob>('seven').runNow();
    expect((await scheduler.getJob('ten'))!.trigger).toMatchObject({ expression: '*/20 * * * * *' });
    await cluster.pass(1_000);
    expect(count('seven')).toBe(syncDeclarations ? 0 : 1);
  },
);

describe('a cron that is disabled in the code', () => {
  test('does not run, and is started by its handle, in its process', async () => {
    const one = await cluster.boot(withCron({ disabled: true }, () => calls.push('one')));
    await cluster.boot(withCron({ disabled: true }, () => calls.push('two')));
    await cluster.pass(30_000);
    const job = one.registry.getCronJob('ten');
    expect([calls, job.isActive]).toEqual([[], false]);
    await job.start();
    expect(job.isActive).toBe(true);
    await cluster.pass(20_000);
    expect(calls).toEqual(['one', 'one']);
    await job.stop();
    await cluster.pass(20_000);
    expect(calls).toEqual(['one', 'one']);
  });

  test.each(['onModuleInit', 'onApplicationBootstrap'])('may be started in %s', async (hook) => {
    class Starter {
      constructor(readonly registry: SchedulerRegistry) {}
    }
    Inject(SchedulerRegistry)(Starter, undefined, 0);
    (Starter.prototype as never as Record<string, unknown>)[hook] = function (this: Starter) {
      if (hook === 'onApplicationBootstrap') return void this.registry.getCronJob('ten').start();
    };
    Injectable()(Starter);
    await cluster.boot({ providers: [...withCron({ disabled: true }).providers, Starter] });
    await cluster.pass(20_000);
    expect(count('run')).toBe(hook === 'onApplicationBootstrap' ? 2 : 0);
  });

  test('runs in the processes that do not disable it', async () => {
    await cluster.boot(withCron({ disabled: true }, () => calls.push('web')));
    await cluster.boot(withCron({ disabled: false }, () => calls.push('worker')));
    await cluster.pass(30_000);
    expect(calls).toEqual(['worker', 'worker', 'worker']);
  });
});

describe('a handle never brings the process down', () => {
  const actions: [string, (app: Process) => unknown][] = [
    ['stop()', ({ registry }) => registry.getCronJob('ten').stop()],
    ['start()', ({ registry }) => registry.getCronJob('ten').start()],
    ['setTime()', ({ registry }) => registry.getCronJob('ten').setTime(new CronTime('0 * * * * *') as never)],
    ['fireOnTick()', ({ registry }) => registry.getCronJob('ten').fireOnTick()],
    ['deleteCronJob()', ({ registry }) => registry.deleteCronJob('ten')],
    ['deleteInterval()', ({ registry }) => registry.deleteInterval('seven')],
    ['stop() of an interval', ({ registry }) => registry.getInterval<StoredJob>('seven').stop()],
    ['start() of an interval', ({ registry }) => registry.getInterval<StoredJob>('seven').start()],
    ['runNow() of an interval', ({ registry }) => registry.getInterval<StoredJob>('seven').runNow()],
    [
      'stop() and deletion of all',
      ({ registry }) => {
        for (const [name, job] of registry.getCronJobs()) {
          void job.stop();
          registry.deleteCronJob(name);
        }
      },
    ],
  ];

  test.each(actions)('%s when another process has deleted the job', async (_, act) => {
    const one = await cluster.boot({ providers: [Jobs] });
    await one.scheduler.deleteJob('ten');
    await one.scheduler.deleteJob('seven');
    act(one);
    await cluster.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  test.each(actions)('%s when the storage does not answer', async (_, act) => {
    const one = await cluster.boot({ providers: [Jobs] });
    const broken = (): Promise<never> => Promise.reject(new Error('the database is down'));
    const methods = [
      'now',
      'getJob',
      'updateJob',
      'runNow',
      'deleteJob',
      'pauseJob',
      'resumeJob',
      'queryWorkers',
    ];
    for (const method of methods) Object.assign(cluster.storage, { [method]: broken });
    act(one);
    await cluster.pass(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    for (const method of methods) delete (cluster.storage as never as Record<string, unknown>)[method];
    expect(unhandled).toEqual([]);
  });

  test.each(actions)('%s after the end', async (_, act) => {
    const one = await cluster.boot({ providers: [Jobs] });
    const cron = one.registry.getCronJob('ten');
    const interval = one.registry.getInterval<StoredJob>('seven');
    const two = await cluster.boot({ providers: [Jobs] });
    await closing(one);
    one.registry.addCronJob('ten', cron);
    one.registry.addInterval('seven', interval);
    act(one);
    await cluster.pass(10_000);
    expect(count('ten')).toBeGreaterThan(0);
    expect(await two.scheduler.countJobs({ state: 'paused' })).toBe(0);
    expect(await two.scheduler.countJobs()).toBe(2);
  });
});
