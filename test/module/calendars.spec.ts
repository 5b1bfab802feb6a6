import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStorage, type ChronisModuleOptions, type SchedulerService } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, newJob } from '../support/engine.js';
import { NestApp } from '../support/nest.app.js';

describe('named calendars', () => {
  let app: NestApp | null = null;

  afterEach(async () => {
    await app?.close();
    app = null;
  });

  async function boot(options: ChronisModuleOptions): Promise<SchedulerService> {
    app = await NestApp.boot({
      chronis: { autoStart: false, ...options },
      clock: new ManualClock('2026-01-01T12:00:00Z'),
    });
    return app.scheduler;
  }

  const calendars = { holidays: [{ dates: ['2026-01-02', '2026-01-03'] }] };
  const exclude = [{ calendar: 'holidays' }];

  test('leave out the days of a job that refers to them', async () => {
    const scheduler = await boot({ calendars });
    scheduler.registerHandler('work', () => undefined);
    const job = await scheduler.createCronJob({ handler: 'work', expression: '0 9 * * *', exclude });
    expect(job.nextRunAt).toEqual(new Date('2026-01-04T09:00:00Z'));
  });

  test('are refused when the module does not know them', async () => {
    const scheduler = await boot({ calendars });
    scheduler.registerHandler('work', () => undefined);
    const creating = scheduler.createCronJob({
      handler: 'work',
      expression: '0 9 * * *',
      exclude: [{ calendar: 'holiday' }],
    });
    await expect(creating).rejects.toMatchObject({ code: 'CHRONIS_INVALID_SCHEDULE', field: 'exclude' });
    await expect(creating).rejects.toThrow('holidays');
  });

  test('are checked at boot', async () => {
    await expect(boot({ calendars: { x: [{ dates: ['2026-02-30'] }] } })).rejects.toThrow('2026-02-30');
    await expect(boot({ calendars: { x: [{ calendar: 'y' }] } })).rejects.toThrow('"x" refers to a calendar');
  });

  test('that a worker does not have make it leave the job to others', async () => {
    const clock = new ManualClock('2025-12-31T23:59:00Z');
    const storage = new MemoryStorage({ clock });
    const older = new EngineRig({ clock, storage });
    const newer = new EngineRig({ clock, storage, options: { calendars } });
    const ran: string[] = [];
    for (const rig of [older, newer])
      rig.handle('work', ({ nominalAt }) => ran.push(nominalAt.toISOString()));
    const trigger = { type: 'cron' as const, expression: '0 0 * * *', timeZone: 'UTC', exclude };
    await storage.insertJobs(
      [newJob(clock.now(), { id: 'daily', trigger, nextAt: clock.now() + 60_000 })],
      'raise',
    );
    await older.engine.start();
    await clock.advanceBy(30 * 60_000);
    expect(older.told.filter((name) => name === 'schedule.failed')).toHaveLength(1);
    expect(await storage.getJob({ namespace: 'default', id: 'daily' })).toMatchObject({
      state: 'pending',
      paused: null,
    });
    await newer.engine.start();
    await clock.advanceBy(60_000);
    // The second and the third are holidays.
    const { nextRunAt } = (await storage.getJob({ namespace: 'default', id: 'daily' }))!;
    expect([ran, nextRunAt]).toEqual([['2026-01-01T00:00:00.000Z'], new Date('2026-01-04T00:00:00Z')]);
    await older.stop(60_000);
    await newer.stop(60_000);
  });
});
