import type { Type } from '@nestjs/common';
import { afterEach, describe, expect, test } from 'vitest';
import {
  At,
  Cron,
  Interval,
  JobIdTakenError,
  LockTimeoutError,
  type ChronisModuleOptions,
  type Job,
} from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';
import { release } from '../support/release.js';

describe('the sync of declared jobs', () => {
  const running: NestApp[] = [];

  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });

  async function deploy(jobs: Type, on?: NestApp, chronis: ChronisModuleOptions = {}): Promise<NestApp> {
    const { storage, clock } = on ?? {};
    const app = await NestApp.boot({
      providers: [jobs],
      chronis,
      ...(on ? { storage: storage!, clock: clock! } : {}),
    });
    running.push(app);
    return app;
  }
  async function stop(app: NestApp): Promise<void> {
    running.splice(running.indexOf(app), 1);
    await app.close();
  }
  const job = (app: NestApp, id: string): Promise<Job | null> => app.scheduler.getJob(id);

  test('keeps the cursor of an unchanged job through a deploy, so that nothing is lost or doubled', async () => {
    const ran: string[] = [];
    const jobs = release({ run: [Interval('1m', { id: 'a' })] }, ran);
    const first = await deploy(jobs);
    await first.clock.advanceBy(90_000);
    await stop(first);
    const second = await deploy(jobs, first);
    expect(second.heard('jobs.synced')).toMatchObject([{ created: [], changed: [], outranked: [] }]);
    expect((await job(second, 'a'))!.nextRunAt).toEqual(new Date('2026-01-01T00:02:00Z'));
    await second.clock.advanceBy(30_000);
    expect(ran).toHaveLength(2);
  });

  test('computes the next time of a changed schedule from now', async () => {
    const first = await deploy(release({ run: [Cron('0 * * * *', { id: 'a' })] }));
    await first.clock.advanceBy(600_000);
    await stop(first);
    const second = await deploy(release({ run: [Cron('30 * * * *', { id: 'a' })] }), first);
    expect(second.heard('jobs.synced')).toMatchObject([{ changed: [{ namespace: 'default', id: 'a' }] }]);
    expect((await job(second, 'a'))!.nextRunAt).toEqual(new Date('2026-01-01T00:30:00Z'));
  });

  test('runs a declared one-off once, and not again after a restart', async () => {
    const ran: string[] = [];
    const jobs = release({ run: [At('2026-01-01 00:01:00', { id: 'a' })] }, ran);
    const first = await deploy(jobs);
    await first.clock.advanceBy(120_000);
    await stop(first);
    const second = await deploy(jobs, first);
    await second.clock.advanceBy(120_000);
    expect(ran).toEqual(['run']);
    expect(await job(second, 'a')).toMatchObject({ state: 'completed', runCount: 1 });
    await stop(second);
    const third = await deploy(release({ run: [At('2026-01-01 01:00:00', { id: 'a' })] }, ran), second);
    await third.clock.advanceTo('2026-01-01T01:00:00Z');
    expect(ran).toEqual(['run', 'run']);
  });

  test('keeps the counters of a renamed job', async () => {
    const first = await deploy(release({ run: [Interval('1m', { id: 'old' })] }));
    await first.clock.advanceBy(60_000);
    await stop(first);
    const second = await deploy(
      release({ run: [Interval('1m', { id: 'new', previousIds: ['old'] })] }),
      first,
    );
    expect(await job(second, 'old')).toBeNull();
    expect(await job(second, 'new')).toMatchObject({
      runCount: 1,
      nextRunAt: new Date('2026-01-01T00:02:00Z'),
    });
  });

  test('leaves a job as code declares it that appeared later, and has its own word again when that is gone', async () => {
    const old = release({ run: [Cron('0 * * * *', { id: 'a' })] });
    const first = await deploy(old);
    const second = await deploy(release({ run: [Cron('30 * * * *', { id: 'a' })] }), first);
    expect((await job(first, 'a'))!.nextRunAt).toEqual(new Date('2026-01-01T00:30:00Z'));

    const late = await deploy(old, first);
    await late.clock.advanceBy(20_000);
    expect((await job(late, 'a'))!.nextRunAt).toEqual(new Date('2026-01-01T00:30:00Z'));
    const outranked = [{ namespace: 'default', id: 'a' }];
    expect(late.heard('jobs.synced')).toMatchObject([{ created: [], changed: [], outranked }]);

    await stop(second);
    await late.clock.advanceBy(1_000);
    expect((await job(late, 'a'))!.nextRunAt).toEqual(new Date('2026-01-01T01:00:00Z'));
    const told = [...first.heard('jobs.synced').slice(1), ...late.heard('jobs.synced').slice(1)];
    expect(told.filter(({ changed }) => changed.length > 0)).toMatchObject([
      { changed: [{ id: 'a' }], outranked: [] },
    ]);
  });

  test('orphans what no live release declares for ten minutes, and adopts it when it comes back', async () => {
    const ran: string[] = [];
    const both = { a: [Interval('1m', { id: 'a' })], b: [Interval('1h', { id: 'b' })] };
    const first = await deploy(release(both, ran));
    await stop(first);
    const second = await deploy(release({ b: both.b }), first);
    await second.clock.advanceBy(9 * 60_000);
    expect((await job(second, 'a'))!.state).not.toBe('orphaned');
    await second.clock.advanceBy(4 * 60_000);
    expect(await job(second, 'a')).toMatchObject({ state: 'orphaned', nextRunAt: null });
    expect(second.heard('job.orphaned')).toEqual([{ namespace: 'default', id: 'a' }]);
    await stop(second);
    const third = await deploy(release(both, ran), first);
    expect(await job(third, 'a')).toMatchObject({ orphanedAt: null });
    expect(third.heard('jobs.synced')).toMatchObject([{ changed: [{ id: 'a' }] }]);
    await third.clock.advanceBy(60_000);
    expect(ran).toContain('a');
  });

  test('holds a job at once when its method runs under another id', async () => {
    const ran: string[] = [];
    const first = await deploy(release({ run: [Interval('1m', { id: 'old' })] }, ran));
    await stop(first);
    const second = await deploy(release({ run: [Interval('1m', { id: 'new' })] }, ran), first);
    expect(second.heard('jobs.synced')).toMatchObject([
      { created: [{ id: 'new' }], superseded: [{ id: 'old' }] },
    ]);
    await second.clock.advanceBy(60_000);
    expect(ran).toEqual(['run']);
  });

  test('deletes orphans by choice', async () => {
    const first = await deploy(release({ a: [Interval('1m', { id: 'old' })] }));
    await stop(first);
    const options = { orphans: 'delete' as const };
    const second = await deploy(release({ a: [Interval('1m', { id: 'new' })] }), first, options);
    expect((await job(second, 'old'))!.state).toBe('orphaned');
    await stop(second);
    await second.clock.advanceBy(600_000);
    const third = await deploy(release({ a: [Interval('1m', { id: 'new' })] }), first, options);
    expect(await job(third, 'old')).toBeNull();
    expect(third.heard('jobs.synced')).toMatchObject([{ deleted: [{ id: 'old' }] }]);
  });

  test('touches neither the jobs of another app nor those made at run time', async () => {
    const api = await deploy(release({ a: [Interval('1m', { id: 'a' })] }), undefined, { app: 'api' });
    const handler = 'Jobs.a';
    await api.scheduler.createIntervalJob({ id: 'made', handler, minutes: 1 });
    const worker = await deploy(release({ b: [Interval('1m', { id: 'b' })] }), api, { app: 'worker' });
    await worker.clock.advanceBy(20 * 60_000);
    const { items } = await worker.scheduler.queryJobs();
    expect(items.map(({ id, app, state }) => [id, app, state])).toEqual([
      ['a', 'api', 'scheduled'],
      ['b', 'worker', 'scheduled'],
      ['made', 'api', 'scheduled'],
    ]);
  });

  test('refuses to boot when an id belongs to another app or to a job made at run time', async () => {
    const jobs = release({ a: [Interval('1m', { id: 'a' })] });
    const api = await deploy(jobs, undefined, { app: 'api' });
    await expect(deploy(jobs, api, { app: 'worker' })).rejects.toThrow(
      new JobIdTakenError('a', 'default', 'Jobs.a', 'api'),
    );
    await api.scheduler.createIntervalJob({ id: 'b', handler: 'Jobs.a', minutes: 1 });
    await expect(deploy(release({ b: [Interval('1m', { id: 'b' })] }), api)).rejects.toThrow(
      'Jobs.b declares the job "b" in the namespace "default", but this id belongs to a job that was created at run time. Give the declaration an id or namespace of its own. Or delete the other job by deleteJob(), if nobody needs it any more.',
    );
  });

  test('waits for another process that syncs, but not for ever', async () => {
    const holder = await deploy(release({}));
    await holder.storage.lock.acquire('chronis:sync:default', 'somebody', 10_000);
    const since = holder.clock.now();
    await holder.passUntil(deploy(release({ a: [Interval('1m')] }), holder));
    expect(holder.clock.now() - since).toBeGreaterThanOrEqual(10_000);
    expect(await job(holder, 'Jobs.a')).not.toBeNull();

    await holder.storage.lock.acquire('chronis:sync:default', 'somebody', 3_600_000);
    // What is stored already needs no lock.
    await holder.passUntil(deploy(release({ a: [Interval('1m')] }), holder));
    const hopeless = holder.passUntil(deploy(release({ a: [Interval('2m')] }), holder));
    await expect(hopeless).rejects.toThrow(LockTimeoutError);
    await expect(hopeless).rejects.toThrow('The lock "chronis:sync:default" was held by others for 60');
  });
});
