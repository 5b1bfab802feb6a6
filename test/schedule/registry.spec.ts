import { Injectable } from '@nestjs/common';
import { CronJob as PackageCronJob } from 'cron';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { boot, complaint, stopTime, subjects, type Booted } from './subjects.js';

describe.each(subjects)('the registry of $name', (subject) => {
  const { Cron, Interval, SchedulerRegistry, Timeout } = subject.schedule;
  let app: Booted;

  @Injectable()
  class Jobs {
    calls: string[] = [];
    @Cron('* * * * * *', { name: 'named' })
    cron(): void {
      this.calls.push('cron');
    }
    @Interval('named', 1_000)
    interval(): void {
      this.calls.push('interval');
    }
    @Timeout('named', 1_000)
    timeout(): void {
      this.calls.push('timeout');
    }
    @Cron('* * * * * *', { disabled: true })
    unnamedCron(): void {}
    @Interval(1_000_000)
    unnamedInterval(): void {}
    @Timeout(1_000_000)
    unnamedTimeout(): void {}
  }

  beforeEach(async () => {
    stopTime();
    app = await boot(subject, { providers: [Jobs] });
  });
  afterEach(async () => {
    await app.close();
    vi.useRealTimers();
  });

  test('knows what the decorators name, and gives UUIDs to the rest', () => {
    const { registry } = app;
    const keys = [[...registry.getCronJobs().keys()], registry.getIntervals(), registry.getTimeouts()];
    for (const [name, unnamed] of keys) {
      expect(name).toBe('named');
      expect(unnamed).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    }
    for (const type of ['cron', 'interval', 'timeout'] as const) {
      expect([registry.doesExist(type, 'named'), registry.doesExist(type, 'other')]).toEqual([true, false]);
    }
    expect(registry.doesExist('else' as 'cron', 'named')).toBe(false);
  });

  test('names what is missing, and what is there already', async () => {
    const { registry } = app;
    const missing = (kind: string): string =>
      `No ${kind} was found with the given name (other). Check that you created one with a decorator or with the create API.`;
    expect(await complaint(() => registry.getCronJob('other'))).toBe(missing('Cron Job'));
    expect(await complaint(() => registry.getInterval('other'))).toBe(missing('Interval'));
    expect(await complaint(() => registry.getTimeout('other'))).toBe(missing('Timeout'));
    expect(await complaint(() => registry.deleteCronJob('other'))).toBe(missing('Cron Job'));
    expect(await complaint(() => registry.deleteInterval('other'))).toBe(missing('Interval'));
    expect(await complaint(() => registry.deleteTimeout('other'))).toBe(missing('Timeout'));
    const taken = (kind: string): string => `${kind} with the given name (named) already exists. Ignored.`;
    const job = new subject.cron.CronJob('* * * * * *', () => undefined);
    expect(await complaint(() => registry.addCronJob('named', job))).toBe(taken('Cron Job'));
    expect(await complaint(() => registry.addInterval('named', 1))).toBe(taken('Interval'));
    expect(await complaint(() => registry.addTimeout('named', 1))).toBe(taken('Timeout'));
  });

  test('gives handles that clearInterval and clearTimeout understand', () => {
    clearInterval(app.registry.getInterval<NodeJS.Timeout>('named'));
    clearTimeout(app.registry.getTimeout<NodeJS.Timeout>('named'));
    vi.advanceTimersByTime(3_000);
    expect(app.get(Jobs).calls).toEqual(['cron', 'cron', 'cron']);
  });

  test('deleting ends the timers', () => {
    const { registry } = app;
    const job = registry.getCronJob('named');
    registry.deleteCronJob('named');
    registry.deleteInterval('named');
    registry.deleteTimeout('named');
    vi.advanceTimersByTime(3_000);
    expect(app.get(Jobs).calls).toEqual([]);
    expect([job.isActive, registry.doesExist('cron', 'named')]).toEqual([false, false]);
    expect(registry.getIntervals()).not.toContain('named');
    expect(registry.getTimeouts()).not.toContain('named');
  });

  test('the map of crons is the registry itself', () => {
    const { registry } = app;
    const jobs = registry.getCronJobs();
    expect(jobs.get('named')).toBe(registry.getCronJob('named'));
    const job = new subject.cron.CronJob('* * * * * *', () => undefined);
    registry.addCronJob('added', job);
    expect(jobs.get('added')).toBe(job);
    expect(registry.getCronJobs()).toBe(jobs);
  });

  test.each([
    ['of its own package', subject.cron.CronJob],
    ['of the cron package', PackageCronJob as unknown as typeof subject.cron.CronJob],
  ])(
    'a CronJob %s that is added by hand is idle until it starts, and its errors are logged',
    async (_, Job) => {
      let calls = 0;
      const job = new Job('* * * * * *', () => void calls++);
      const failing = Job.from({
        cronTime: '* * * * * *',
        onTick: () => {
          throw new Error('tick');
        },
        errorHandler: (error) => {
          throw new Error(`handled ${(error as Error).message}`);
        },
        start: true,
      });
      app.registry.addCronJob('added', job);
      app.registry.addCronJob('failing', failing);
      await vi.advanceTimersByTimeAsync(1_000);
      expect([calls, job.isActive]).toEqual([0, false]);
      void job.start();
      await vi.advanceTimersByTimeAsync(2_000);
      expect([calls, job.isActive]).toEqual([2, true]);
      expect(app.log.lines[0]).toEqual({
        level: 'error',
        message: 'handled tick',
        context: 'SchedulerRegistry',
      });
      app.registry.deleteCronJob('added');
      await vi.advanceTimersByTimeAsync(2_000);
      expect([calls, job.isActive]).toEqual([2, false]);
    },
  );

  test('takes an object that only looks like a CronJob, as tests of applications make them', async () => {
    let stopped = 0;
    const double = { start: () => undefined, stop: () => stopped++ };
    const job = double as unknown as ReturnType<typeof app.registry.getCronJob>;
    app.registry.addCronJob('double', job);
    expect(app.registry.getCronJob('double')).toBe(double);
    await job.fireOnTick();
    expect(app.log.lines).toEqual([
      {
        level: 'error',
        message: "Cannot read properties of undefined (reading 'call')",
        context: 'SchedulerRegistry',
      },
    ]);
    app.registry.deleteCronJob('double');
    expect(stopped).toBe(1);
  });

  test('works by itself as well', () => {
    const registry = new SchedulerRegistry();
    registry.addTimeout('text', 'anything');
    expect(registry.getTimeout('text')).toBe('anything');
    registry.addInterval('zero', 0);
    expect(registry.getInterval('zero')).toBe(0);
    registry.addInterval('zero', 1);
    expect(registry.getInterval('zero')).toBe(1);
  });
});
