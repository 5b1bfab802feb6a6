import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Job, SchedulerService } from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { StorageNow } from '../../lib/scheduler/storage.now.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { OffsetClock } from '../support/offset.clock.js';

const minute = 60_000;
const hour = 60 * minute;

test.each([hour, -hour])(
  'a clock of the storage that was wrong once, by %d ms, is right with the next answer',
  async (leapMs) => {
    const clock = new ManualClock();
    const server = new OffsetClock(clock);
    const time = new StorageNow(new MemoryStorage({ clock: server }), clock);
    expect(await time.now()).toBe(clock.now());
    await clock.advanceBy(minute);
    server.offsetMs = leapMs;
    await time.now();
    server.offsetMs = 0;
    await clock.advanceBy(minute);
    expect(await time.now()).toBe(clock.now());
  },
);

test('a clock of the storage that was wrong at the first answer is right with the next one', async () => {
  const clock = new ManualClock();
  const server = new OffsetClock(clock);
  server.offsetMs = hour;
  const time = new StorageNow(new MemoryStorage({ clock: server }), clock);
  expect(await time.now()).toBe(clock.now() + hour);
  server.offsetMs = 0;
  await clock.advanceBy(minute);
  expect(await time.now()).toBe(clock.now());
});

describe("a server's clock that steps back by less than is doubted", () => {
  let clock: ManualClock;
  let server: OffsetClock;
  let storage: MemoryStorage;
  let scheduler: SchedulerService;
  let app: NestApp;

  beforeEach(async () => {
    clock = new ManualClock();
    server = new OffsetClock(clock);
    storage = new MemoryStorage({ clock: server });
    app = await NestApp.boot({ storage, clock, chronis: { autoStart: false, allowUnknownHandler: true } });
    ({ scheduler } = app);
    await scheduler.schedule('work', { in: '1h' });
  });

  afterEach(() => app.close());

  const dueInMs = ({ nextRunAt }: Job): number => nextRunAt!.getTime() - server.now();

  const ways: Record<string, (id: string) => Promise<Job>> = {
    'schedule()': (id) => scheduler.schedule('work', { id, in: 0 }),
    'createDateJob()': (id) => scheduler.createDateJob({ id, handler: 'work', in: 0 }),
    'createJob()': (id) => scheduler.createJob({ id, handler: 'work', in: '0s' }),
    'upsert()': async (id) => (await scheduler.upsert({ id, handler: 'work', in: 0 })).job,
    'createMany()': async (id) => {
      const same = { handler: 'work', in: 0 };
      // The second one goes by the pattern of the first.
      const results = await scheduler.createMany([same, { ...same, id }]);
      return (results[1] as { job: Job }).job;
    },
  };

  for (const stepMs of [3_000, 5_000, 8_000]) {
    test.each(Object.keys(ways))(
      `of ${stepMs} ms: what %s makes without a delay is due at once`,
      async (way) => {
        server.offsetMs = -stepMs;
        expect(dueInMs(await ways[way]!('first'))).toBeLessThanOrEqual(0);
      },
    );

    test(`of ${stepMs} ms: what takes the place of another without a delay is due at once`, async () => {
      await scheduler.upsert({ id: 'same', handler: 'work', in: '1h' });
      server.offsetMs = -stepMs;
      expect(
        dueInMs((await scheduler.upsert({ id: 'same', handler: 'work', in: 0 })).job),
      ).toBeLessThanOrEqual(0);
    });

    test.each([0, 5_000])(
      `of ${stepMs} ms: updateJob() counts a delay of %d ms from the right time`,
      async (delayMs) => {
        await scheduler.schedule('work', { id: 'waits', in: '1h' });
        server.offsetMs = -stepMs;
        expect(dueInMs(await scheduler.updateJob('waits', { in: delayMs }))).toBe(delayMs);
      },
    );

    test(`of ${stepMs} ms: each answer shows it, so that the next delay counts from the right time`, async () => {
      server.offsetMs = -stepMs;
      await scheduler.schedule('work', { in: '5s' });
      expect(dueInMs(await scheduler.schedule('work', { in: '5s' }))).toBe(5_000);
      server.offsetMs = -2 * stepMs;
      await scheduler.upsert({ id: 'same', handler: 'work', in: '1h' });
      server.offsetMs = -3 * stepMs;
      await scheduler.upsert({ id: 'same', handler: 'work', in: '1h' });
      expect(dueInMs(await scheduler.schedule('work', { in: '5s' }))).toBe(5_000);
    });

    test(`of ${stepMs} ms: who creates little asks for the time`, async () => {
      server.offsetMs = -stepMs;
      await clock.advanceBy(5_000);
      expect(dueInMs(await scheduler.schedule('work', { in: '5s' }))).toBe(5_000);
    });
  }

  test('wakes the workers of its own process for what is due now', async () => {
    const ran: string[] = [];
    scheduler.registerHandler('work', ({ job }) => void ran.push(job.id));
    await scheduler.start();
    await app.settle();
    server.offsetMs = -8_000;
    await scheduler.schedule('work', { id: 'now', in: 0 });
    await scheduler.createMany([
      { handler: 'work', id: 'many', in: 0 },
      { handler: 'work', id: 'hourly', every: '1h' },
    ]);
    await app.settle();
    expect(ran).toEqual(['now', 'many']);
  });
});

test('who creates much asks for the time once', async () => {
  class Counting extends MemoryStorage {
    asked = 0;
    override now(): Promise<number> {
      this.asked++;
      return super.now();
    }
  }
  const clock = new ManualClock();
  const storage = new Counting({ clock });
  const time = new StorageNow(storage, clock);
  for (let i = 0; i < 100; i++) {
    await time.now();
    await time.hearing(
      () => storage.getJob({ namespace: 'default', id: 'none' }),
      () => clock.now(),
    );
    await clock.advanceBy(1_000);
  }
  expect(storage.asked).toBe(1);
});
