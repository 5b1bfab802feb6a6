import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Cron, StorageError, type ChronisModuleOptions } from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const begun = '2026-01-01T00:59:30.000Z';
const minute = 60_000;
const dueAt = new Date('2026-01-01T01:00:00.000Z');
const late = { namespace: 'default', id: 'report', dueAt, lateAfterMs: 5 * minute };

@Injectable()
class Jobs {
  @Cron('0 * * * *', { id: 'report', queue: 'slow', lateAfter: '5m' })
  report(): void {}
}

describe('a job that says lateAfter', () => {
  let apps: NestApp[];

  async function boot(chronis: ChronisModuleOptions = {}, providers = [Jobs]): Promise<NestApp> {
    const [first] = apps;
    const on = first ? { clock: first.clock, storage: first.storage } : { clock: new ManualClock(begun) };
    const app = await NestApp.boot({ providers, chronis, ...on });
    apps.push(app);
    return app;
  }

  beforeEach(() => (apps = []));
  afterEach(async () => {
    for (const app of apps.toReversed()) await app.close();
  });

  test('is overdue when nobody begins it in time, told once in the cluster, until somebody does', async () => {
    const { clock, scheduler } = await boot({ queues: ['default'] });
    await boot({ queues: ['default'] });
    await clock.advanceBy(5 * minute);
    expect(await scheduler.getOverdue()).toEqual([]);
    await clock.advanceBy(10 * minute);
    expect(await scheduler.getOverdue()).toEqual([late]);
    expect(await scheduler.getOverdue({ namespace: 'other' })).toEqual([]);
    const heard = (name: 'job.overdue' | 'job.overdue.ended') => apps.flatMap((app) => app.heard(name));
    expect(heard('job.overdue')).toEqual([late]);
    const text =
      'The job "report" is overdue: what was due at 2026-01-01T01:00:00.000Z has not begun 300 s after it, as lateAfter says. explain() and chronis why tell what it waits for.';
    expect(logSentences['job.overdue']!(late)).toEqual({ level: 'warn', text });
    const { reasons } = await scheduler.health();
    expect(reasons.filter(({ code }) => code === 'health.overdue-job')).toEqual([
      { code: 'health.overdue-job', severity: 'warning', sentence: text },
    ]);
    expect(heard('job.overdue.ended')).toEqual([]);
    await boot({ queues: ['slow'] });
    await clock.advanceBy(3 * minute);
    expect(heard('job.overdue.ended')).toEqual([late]);
    expect(logSentences['job.overdue.ended']!(late)?.level).toBe('log');
    expect(heard('job.overdue')).toHaveLength(1);
    expect(await scheduler.getOverdue()).toEqual([]);
    expect((await scheduler.health()).reasons.map(({ code }) => code)).not.toContain('health.overdue-job');
  });

  test('is looked for at long intervals where there is none, and found when one is created', async () => {
    const clock = new ManualClock(begun);
    const storage = new MemoryStorage({ clock });
    const asked = vi.spyOn(storage.overdue, 'noteOverdue');
    const looked = vi.spyOn(storage.overdue, 'queryOverdue');
    apps.push(await NestApp.boot({ clock, chronis: { storage } }));
    const { scheduler } = apps[0]!;
    await clock.advanceBy(60 * minute);
    // Once in five minutes and a round at most.
    expect(asked.mock.calls.length).toBeLessThanOrEqual(12);
    for (let nth = 0; nth < 5; nth++) await scheduler.health();
    expect(looked).toHaveBeenCalledTimes(1);
    const options = { id: 'a', handler: 'work', minutes: 1, queue: 'slow', lateAfter: '1m' } as const;
    await scheduler.createIntervalJob({ ...options, allowUnknownHandler: true });
    await clock.advanceBy(10 * minute);
    expect(apps[0]!.heard('job.overdue')).toMatchObject([{ id: 'a', lateAfterMs: minute }]);
  });

  test('is changed at run time, and says nothing without it', async () => {
    const { clock, scheduler } = await boot({ queues: ['default'] });
    await scheduler.updateJob('report', { lateAfter: null });
    await clock.advanceBy(15 * minute);
    expect(await scheduler.getOverdue()).toEqual([]);
    await scheduler.updateJob('report', { lateAfter: '1m' });
    expect(await scheduler.getOverdue()).toMatchObject([{ id: 'report', lateAfterMs: minute }]);
    await scheduler.resetJob('report');
    expect(await scheduler.getOverdue()).toMatchObject([{ lateAfterMs: 5 * minute }]);
  });

  test('is refused where it is never due by a schedule, or says no duration', async () => {
    const { scheduler } = await boot();
    const job = { handler: 'work', allowUnknownHandler: true, lateAfter: '5m' } as const;
    await expect(scheduler.createDateJob({ ...job, in: '1h' } as never)).rejects.toThrow(
      'lateAfter: is for what recurs; a one-off is due once. Leave it out.',
    );
    await expect(scheduler.createJob({ ...job, trigger: { type: 'manual' } })).rejects.toThrow(
      'lateAfter: is for what has a schedule; this job is never due by itself. Leave it out.',
    );
    for (const lateAfter of ['soon', '0s', -1])
      await expect(scheduler.createIntervalJob({ ...job, hours: 1, lateAfter })).rejects.toThrow(
        /^lateAfter/,
      );
    await expect(scheduler.getOverdue({ limit: 0 })).rejects.toThrow(
      'limit: must be a whole number from 1 to 1000',
    );
  });

  test('cannot be told by a storage that cannot look', async () => {
    const clock = new ManualClock(begun);
    const storage = new MemoryStorage({ clock });
    Object.defineProperty(storage, 'overdue', { value: undefined });
    apps.push(await NestApp.boot({ clock, chronis: { storage } }));
    await expect(apps[0]!.scheduler.getOverdue()).rejects.toThrow(StorageError);
    await clock.advanceBy(10 * minute);
    expect(apps[0]!.heard('storage.failing')).toEqual([]);
  });
});
