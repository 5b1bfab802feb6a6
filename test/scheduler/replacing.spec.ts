import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NestApp } from '../support/nest.app.js';

describe('saying a job again', () => {
  const base = { id: 'job', handler: 'work' };
  const tenMinutes = 600_000;
  let app: NestApp;
  let ran: unknown[];

  beforeEach(async () => {
    ran = [];
    app = await NestApp.boot();
    app.scheduler.registerHandler('work', ({ payload }) => void ran.push(payload));
  });
  afterEach(() => app.close());

  test.each([
    ['an interval', { every: '1h' }],
    ['an interval with a start', { every: '1h', startAt: '2026-01-01 00:20' }],
    ['an interval with an anchor', { every: '1h', anchor: '2026-01-01 00:20' }],
    ['a cron', { cron: '0 * * * *' }],
  ])('leaves %s its next time, and takes over the rest', async (_, when) => {
    const { scheduler, clock } = app;
    const { job } = await scheduler.upsert({ ...base, ...when, payload: 1 });
    await clock.advanceBy(tenMinutes);
    const again = await scheduler.upsert({ ...base, ...when, payload: 2 });
    expect(again).toMatchObject({ status: 'replaced', job: { payload: 2, trigger: job.trigger } });
    expect(again.job.nextRunAt).toEqual(job.nextRunAt);
    const many = await scheduler.createMany([{ ...base, ...when, payload: 3 }], { onConflict: 'replace' });
    expect(many).toMatchObject([
      { status: 'replaced', job: { payload: 3, trigger: job.trigger, nextRunAt: job.nextRunAt } },
    ]);
  });

  test('does not put off an interval, though it is said more often than that', async () => {
    for (let minutes = 0; minutes < 60; minutes += 10) {
      await app.scheduler.upsert({ ...base, every: '25m', payload: minutes });
      await app.clock.advanceBy(tenMinutes);
    }
    expect(ran).toEqual([20, 40]);
  });

  test('does not leave out an instant that fell due while nothing ran', async () => {
    const { scheduler, clock } = app;
    await scheduler.upsert({ ...base, cron: '0 * * * *' });
    await scheduler.stop();
    await clock.advanceBy(3_601_000);
    await scheduler.upsert({ ...base, cron: '0 * * * *' });
    await scheduler.start();
    await app.settle();
    expect(ran).toHaveLength(1);
  });

  test.each(['upsert', 'createMany', 'onConflict'])(
    'keeps an interval that becomes another one on its grid: %s',
    async (by) => {
      const { scheduler, clock } = app;
      const { job } = await scheduler.upsert({ ...base, every: '1h' });
      await clock.advanceBy(tenMinutes);
      const again = { ...base, every: '25m', onConflict: 'replace' } as const;
      if (by === 'upsert') await scheduler.upsert(again);
      else if (by === 'createMany') await scheduler.createMany([again]);
      else await scheduler.createIntervalJob(again);
      const changed = (await scheduler.getJob('job'))!;
      expect(changed.trigger).toEqual({ ...job.trigger, every: 25 * 60_000 });
      expect(changed.nextRunAt).toEqual(new Date(job.createdAt.getTime() + 25 * 60_000));
      // As updateJob does.
      await scheduler.updateJob('job', { every: '20m' });
      expect((await scheduler.getJob('job'))!.nextRunAt).toEqual(
        new Date(job.createdAt.getTime() + 20 * 60_000),
      );
    },
  );

  test.each([
    ['time', { every: '2h' }],
    ['anchor', { every: '1h', anchor: '2026-01-01 00:30' }],
    ['start', { every: '1h', startAt: '2026-01-01 00:45' }],
    ['kind', { cron: '30 * * * *' }],
  ])('counts anew when the %s is another', async (_, when) => {
    const { scheduler, clock } = app;
    const { job } = await scheduler.upsert({ ...base, every: '1h' });
    await clock.advanceBy(tenMinutes);
    const again = await scheduler.upsert({ ...base, ...when });
    expect(again.status).toBe('replaced');
    expect(again.job.nextRunAt).not.toEqual(job.nextRunAt);
  });
});
