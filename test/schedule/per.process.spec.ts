import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Cron, Interval, StoredJob, Timeout } from '../../lib/schedule/index.js';
import { Cluster } from './cluster.js';
import { complaint, start, stopTime } from './subjects.js';

let cluster: Cluster;
let calls: string[];
beforeEach(() => {
  stopTime(start);
  cluster = new Cluster();
  calls = [];
});
afterEach(async () => {
  await cluster.close();
  vi.useRealTimers();
});

@Injectable()
class Jobs {
  @Cron('*/10 * * * * *', { name: 'cache', timeZone: 'UTC', distributed: false })
  cache(): void {
    calls.push('cache');
  }
  @Interval('flush', 5_000, { distributed: false })
  flush(): void {
    calls.push('flush');
  }
  @Interval(20_000, { distributed: false })
  unnamed(): void {
    calls.push('unnamed');
  }
  @Timeout('warm', 1_000, { distributed: false })
  warm(): void {
    calls.push('warm');
  }
  @Cron('*/10 * * * * *', { name: 'shared', timeZone: 'UTC' })
  shared(): void {
    calls.push('shared');
  }
}

const count = (name: string): number => calls.filter((call) => call === name).length;

/** Time passes for the timers of the processes and for the stored jobs alike. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await vi.advanceTimersByTimeAsync(500);
    await cluster.pass(500);
  }
}

describe('distributed: false', () => {
  test('has a method run in every process, among those that run once', async () => {
    const one = await cluster.boot({ providers: [Jobs] });
    await cluster.boot({ providers: [Jobs] });
    await pass(20_500);
    expect({
      cache: count('cache'),
      flush: count('flush'),
      unnamed: count('unnamed'),
      warm: count('warm'),
      shared: count('shared'),
    }).toEqual({ cache: 4, flush: 8, unnamed: 2, warm: 2, shared: 2 });
    expect((await one.scheduler.queryJobs()).items.map(({ id }) => id)).toEqual(['shared']);
    expect(one.registry.getInterval('flush')).not.toBeInstanceOf(StoredJob);
    void one.registry.getCronJob('cache').stop();
    await pass(20_000);
    expect(count('cache')).toBe(6);
  });

  test('is said in overrides as well, and taken back there', async () => {
    const overrides = {
      shared: { distributed: false, schedule: '*/5 * * * * *', timeZone: 'UTC' },
      cache: { distributed: true, maxRetries: 1 },
      flush: { schedule: '10s' },
      'Jobs.unnamed': { disabled: true },
    };
    const [one] = [
      await cluster.boot({ providers: [Jobs], chronis: { overrides } }),
      await cluster.boot({ providers: [Jobs], chronis: { overrides } }),
    ];
    await pass(20_500);
    expect({
      cache: count('cache'),
      flush: count('flush'),
      unnamed: count('unnamed'),
      shared: count('shared'),
    }).toEqual({ cache: 2, flush: 4, unnamed: 0, shared: 8 });
    const { items } = await one.scheduler.queryJobs();
    expect(items).toMatchObject([{ id: 'cache', policies: { maxRetries: 1 } }]);
  });

  test.each([
    ['cache', 'maxRetries', { maxRetries: 3 }],
    ['flush', 'queue', { queue: 'slow' }],
    ['shared', 'maxRetries', { distributed: false, maxRetries: 3 }],
  ])('refuses what only a job can have: %s with %s', async (id, key, override) => {
    expect(
      await complaint(() => cluster.boot({ providers: [Jobs], chronis: { overrides: { [id]: override } } })),
    ).toBe(
      `overrides["${id}"]: ${key} is for jobs, and this is a timer of each process (distributed: false). It may be given schedule, timeZone and disabled.`,
    );
  });

  test('refuses what is neither true nor false', async () => {
    const overrides = { shared: { distributed: 'no' as never } };
    expect(await complaint(() => cluster.boot({ providers: [Jobs], chronis: { overrides } }))).toBe(
      'overrides["shared"]: distributed must be true or false, but is "no".',
    );
  });

  test('frees no name: a timer and a job cannot share one', async () => {
    class Other {
      @Cron('0 * * * * *', { name: 'shared', distributed: false })
      other(): void {}
    }
    expect(await complaint(() => cluster.boot({ providers: [Jobs, Other] }))).toBe(
      'Cron Job with the given name (shared) already exists. Ignored.',
    );
  });

  test('changes nothing where everything is on timers', async () => {
    const { ScheduleModule, SchedulerRegistry } = await import('../../lib/schedule/index.js');
    const { Test } = await import('@nestjs/testing');
    const app = await Test.createTestingModule({
      imports: [ScheduleModule.forRoot()],
      providers: [Jobs],
    }).compile();
    await app.init();
    await vi.advanceTimersByTimeAsync(20_000);
    expect([count('cache'), count('shared'), count('flush')]).toEqual([2, 2, 4]);
    expect(app.get(SchedulerRegistry).getIntervals()).toContain('flush');
    await app.close();
  });
});
