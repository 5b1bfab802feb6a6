import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobOverrides } from '../../lib/index.js';
import { Cron, Interval, Timeout } from '../../lib/schedule/index.js';
import { Cluster } from './cluster.js';
import { complaint } from './subjects.js';

let cluster: Cluster;
let calls: string[];
beforeEach(() => {
  cluster = new Cluster();
  calls = [];
});
afterEach(() => cluster.close());

@Injectable()
class Jobs {
  @Cron('0 0 9 * * *', { name: 'daily', utcOffset: 60 })
  daily(): void {
    calls.push('daily');
  }

  @Interval('sync', 60_000)
  sync(): void {
    calls.push('sync');
  }

  @Interval('poll', 500)
  poll(): void {}

  @Timeout('warm', 1_000)
  warm(): void {}
}

const boot = (overrides: JobOverrides, options = {}) =>
  cluster.boot({ providers: [Jobs], chronis: { overrides }, ...options });

describe('overrides of the drop-in, distributed', () => {
  test('give a cron and an interval another schedule, another zone and options of jobs', async () => {
    const { scheduler, registry } = await boot({
      daily: { schedule: '0 30 10 * * *', timeZone: 'UTC', maxRetries: 2 },
      sync: { schedule: '5m', overlap: 'queue' },
    });
    expect(await scheduler.getJob('daily')).toMatchObject({ timeZone: 'UTC', policies: { maxRetries: 2 } });
    expect(await scheduler.getJob('sync')).toMatchObject({
      trigger: { every: 300_000 },
      policies: { overlap: 'queue' },
    });
    expect(registry.getCronJob('daily').nextDate().toUTC().hour).toBe(10);
    await cluster.pass(30 * 60_000);
    expect(calls).toContain('daily');
  });

  test('leave out days, and end a schedule', async () => {
    const { scheduler } = await boot({
      daily: { exclude: [{ weekdays: ['wed'] }], endAt: '2026-03-13T00:00:00Z' },
    });
    const { occurrences } = await scheduler.previewJob('daily');
    const days = occurrences.filter(({ excluded }) => excluded === 0).map(({ at }) => at.getUTCDate());
    expect(days).toEqual([12]);
  });

  test('disable a job as its decorator would, and enable one', async () => {
    @Injectable()
    class Off {
      @Cron('0 0 9 * * *', { name: 'off', disabled: true })
      off(): void {}
    }
    const overrides = { daily: { disabled: true }, sync: { disabled: true }, off: { disabled: false } };
    const { scheduler, registry } = await boot(overrides, { providers: [Jobs, Off] });
    expect((await scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['daily', 'off']);
    expect(registry.getCronJob('daily').isActive).toBe(false);
    expect(registry.getCronJob('off').isActive).toBe(true);
    expect(registry.getIntervals()).toEqual(['poll']);
    await cluster.pass(86_400_000);
    expect(calls).toEqual([]);
  });

  test('may name a job of a kind that is switched off', async () => {
    const { scheduler } = await boot({ daily: { maxRetries: 1 } }, { cronJobs: false });
    expect(await scheduler.getJob('daily')).toBeNull();
  });

  test.each<[string, JobOverrides, string]>([
    [
      'a job that nothing declares',
      { dialy: { disabled: true } },
      'overrides: nothing in the code declares the job "dialy". Did you mean "daily"?',
    ],
    ['a timeout', { warm: { disabled: true } }, 'overrides: nothing in the code declares the job "warm".'],
    [
      'an interval that is too short to be stored',
      { poll: { disabled: true } },
      'overrides["poll"]: an @Interval of less than a second is a timer of each process, not a job.',
    ],
    [
      'a schedule of another kind',
      { daily: { schedule: { hour: 9 } }, sync: {} },
      'overrides["daily"]: schedule must be a cron text or a Date',
    ],
    ['no interval', { sync: { schedule: new Date(0) } }, 'overrides["sync"]: schedule must be milliseconds'],
    ['a wrong value', { daily: { jitter: -5 } }, 'Jobs.daily: jitter: -5 must not be negative.'],
    ['an option of other schedules', { sync: { dst: { gap: 'skip' } } }, 'dst'],
    ['an option of intervals', { daily: { mode: 'fixed-delay' } }, 'mode'],
    ['an unknown option', { daily: { maxRetires: 1 } as never }, 'maxRetires'],
  ])('refuse %s', async (_, overrides, message) => {
    expect(await complaint(() => boot(overrides))).toContain(message);
  });
});
