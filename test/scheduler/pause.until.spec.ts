import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Cron, type ChronisModuleOptions } from '../../lib/index.js';
import { logSentences } from '../../lib/events/log.sentences.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';

const begun = '2026-01-01T00:00:30.000Z';
const minute = 60_000;
const hour = 60 * minute;

describe('a pause until some time', () => {
  let apps: NestApp[];
  let ran: string[];

  @Injectable()
  class Jobs {
    @Cron('* * * * *', { id: 'minutely' })
    minutely(): void {
      ran.push(new Date(apps[0]!.clock.now()).toISOString());
    }
  }

  async function boot(chronis: ChronisModuleOptions = {}): Promise<NestApp> {
    const [first] = apps;
    const on = first ? { clock: first.clock, storage: first.storage } : { clock: new ManualClock(begun) };
    const app = await NestApp.boot({ providers: [Jobs], chronis, ...on });
    apps.push(app);
    return app;
  }

  beforeEach(() => {
    apps = [];
    ran = [];
  });
  afterEach(async () => {
    for (const app of apps.toReversed()) await app.close();
  });

  test('ends by itself at that instant, once in the cluster, and what fell into it is a gap', async () => {
    const app = await boot();
    const other = await boot();
    const { scheduler, clock } = app;
    const until = new Date('2026-01-01T00:10:15.250Z');
    const job = await scheduler.pauseJob('minutely', { reason: 'audit', by: 'ops', until });
    expect(job.paused).toMatchObject({ reason: 'audit', by: 'ops', until });
    await clock.advanceBy(until.getTime() - clock.now() - 1);
    expect((await scheduler.getJob('minutely'))?.state).toBe('paused');
    await clock.advanceBy(1);
    expect((await scheduler.getJob('minutely'))?.paused).toBeNull();
    await clock.advanceBy(minute);
    expect(ran).toEqual(['2026-01-01T00:11:00.000Z']);
    const { items } = await scheduler.getGaps({ jobId: 'minutely' });
    expect(items).toMatchObject([{ verdict: 'paused', count: 10, reason: 'pause' }]);
    const told = [...app.heard('pause.ended'), ...other.heard('pause.ended')];
    expect(told).toEqual([
      {
        ...{ kind: 'job', namespace: 'default', name: 'minutely', reason: 'audit', by: 'ops' },
        ...{ at: new Date(begun), until, origin: 'auto' },
      },
    ]);
    expect(logSentences['pause.ended']!(told[0]!)).toEqual({
      level: 'log',
      text: 'The job "minutely" goes on: the pause of 2026-01-01T00:00:30.000Z (audit, by ops) has ended at 2026-01-01T00:10:15.250Z, as was asked for.',
    });
  });

  test('ends where nobody worked when its time came, at the next start', async () => {
    const app = await boot();
    await app.scheduler.pause({ queue: 'default' }, { until: '1h' });
    await app.scheduler.pause({ all: true }, { until: { hours: 3 } });
    expect(await app.scheduler.getPauses()).toMatchObject([
      { scope: { queue: 'default' }, until: new Date(Date.parse(begun) + hour) },
      { scope: { all: true }, until: new Date(Date.parse(begun) + 3 * hour) },
    ]);
    await app.close();
    await app.clock.advanceBy(2 * hour);
    const next = await boot();
    await next.clock.advanceBy(1_000);
    expect(next.heard('pause.ended')).toMatchObject([{ kind: 'queue', namespace: null, name: 'default' }]);
    await next.clock.advanceBy(hour);
    expect(await next.scheduler.getPauses()).toEqual([]);
    expect(next.heard('pause.ended')).toHaveLength(2);
    apps.shift();
    apps.unshift(next);
  });

  test('can be given for many, and taken away by pausing again without', async () => {
    const { scheduler, clock } = await boot();
    const result = await scheduler.pauseMany({ handler: 'Jobs.minutely' }, { until: '2026-01-01 02:00:00' });
    expect(result).toMatchObject({ matched: 1, changed: 1 });
    const until = (await scheduler.getJob('minutely'))?.paused?.until;
    expect(until).toEqual(new Date('2026-01-01T02:00:00Z'));
    await scheduler.pauseJob('minutely');
    await clock.advanceBy(3 * hour);
    expect(ran).toEqual([]);
    await scheduler.pauseJob('minutely', { until: '5m' });
    await clock.advanceBy(6 * minute);
    expect(ran).not.toEqual([]);
  });

  test.each([
    [900, 900],
    [7 * 24 * hour, 7 * 24 * hour],
    [Date.parse('2026-01-08T00:00:00Z'), Date.parse('2026-01-08T00:00:00Z') - Date.parse(begun)],
  ])(
    'as the number %d is so many milliseconds, or epoch milliseconds where it can be a time to come',
    async (until, lastsMs) => {
      const { scheduler, clock } = await boot();
      const end = new Date(clock.now() + lastsMs);
      expect((await scheduler.pauseJob('minutely', { until })).paused).toMatchObject({ until: end });
      expect(await scheduler.pause({ queue: 'default' }, { until })).toMatchObject({ until: end });
      await scheduler.pauseMany({}, { all: true, until });
      expect((await scheduler.getJob('minutely'))?.paused).toMatchObject({ until: end });
    },
  );

  test.each([
    [new Date('2026-01-01T00:00:30Z'), 'must be in the future, but is 2026-01-01T00:00:30.000Z'],
    [Date.parse('2025-12-31T00:00:00Z'), 'must be in the future, but is 2025-12-31T00:00:00.000Z'],
    ['2025-12-31', 'must be in the future, but is 2025-12-31T00:00:00.000Z'],
    [null, 'must be an instant or a duration, but is null'],
  ])('cannot end at %o', async (until, problem) => {
    const { scheduler } = await boot();
    const options = { until: until as Date };
    await expect(scheduler.pauseJob('minutely', options)).rejects.toThrow(problem);
    await expect(scheduler.pause({ all: true }, options)).rejects.toThrow(problem);
    await expect(scheduler.pauseMany({}, { all: true, ...options })).rejects.toThrow(problem);
    expect((await scheduler.getJob('minutely'))?.paused).toBeNull();
  });

  test.each(['soon', '', '0s', -5, {}, [], NaN, '2026-13-01'])('refuses %o by name', async (until) => {
    const { scheduler } = await boot();
    await expect(scheduler.pauseJob('minutely', { until: until as string })).rejects.toThrow(/^until/);
  });

  test('is refused by storages that know no ends', async () => {
    const clock = new ManualClock(begun);
    const storage = new MemoryStorage({ clock });
    Object.defineProperty(storage, 'endPauses', { value: undefined });
    apps.push(await NestApp.boot({ clock, chronis: { storage } }));
    await expect(apps[0]!.scheduler.pause({ all: true }, { until: '1h' })).rejects.toThrow(
      'pauses have no end in the storage "memory". Leave it out, and resume by a call.',
    );
  });

  test('that is missing for long is told once in the cluster, also after a restart, and by health as long as it stands', async () => {
    const app = await boot({ pausedTooLong: '2h' });
    const { clock, scheduler } = app;
    await boot({ pausedTooLong: '2h' });
    await scheduler.pauseJob('minutely', { by: 'ops' });
    await scheduler.pause({ queue: 'slow' }, { until: '9d' });
    await clock.advanceBy(2 * hour - minute);
    expect((await scheduler.health()).warnings).toEqual([]);
    await clock.advanceBy(2 * hour);
    await boot({ pausedTooLong: '2h' });
    await clock.advanceBy(2 * hour);
    const told = apps.flatMap((each) => each.heard('pause.stale'));
    expect(told).toHaveLength(1);
    const text =
      'The job "minutely" is still stopped by the pause of 2026-01-01T00:00:30.000Z (by ops), which has no end: it may have been forgotten. resumeJob(\'minutely\') ends it, and pausing it again with "until" lets it end by itself.';
    expect(logSentences['pause.stale']!(told[0]!)).toEqual({ level: 'warn', text });
    const { healthy, reasons } = await scheduler.health();
    expect(healthy).toBe(true);
    expect(reasons).toEqual([{ code: 'doctor.stale-pause', severity: 'warning', sentence: text }]);
    await scheduler.resumeJob('minutely');
    await clock.advanceBy(minute);
    expect((await scheduler.health()).reasons).toEqual([]);
  });

  test('that is missing is not looked for where none is too old', async () => {
    const clock = new ManualClock(begun);
    const storage = new MemoryStorage({ clock });
    const asked = vi.spyOn(storage, 'stalePauses');
    apps.push(await NestApp.boot({ clock, chronis: { storage, pausedTooLong: 'never' } }));
    await clock.advanceBy(10 * minute);
    expect((await apps[0]!.scheduler.health()).reasons).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
  });
});
