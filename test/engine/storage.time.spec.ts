import { describe, expect, test } from 'vitest';
import { StorageTime, type ClockLeap } from '../../lib/engine/storage.time.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';

test('a time with a fraction is reached when the waiting for it is over', async () => {
  const clock = new ManualClock();
  const time = new StorageTime(clock);
  time.observe(1_000.25, clock.monotonic());
  const at = 1_020.25;
  await clock.advanceBy(Math.ceil(time.until(at)));
  expect(time.now()).toBeGreaterThanOrEqual(at);
});

test('the best of the last eight answers counts, and of those of the last two seconds', async () => {
  const clock = new ManualClock();
  const time = new StorageTime(clock);
  const observe = (times: number, lateMs: number): void => {
    for (let i = 0; i < times; i++)
      time.observe(clock.monotonic() + 1_000_000 - lateMs, clock.monotonic() - 20);
  };
  const lateMs = (): number => clock.monotonic() + 1_000_000 - time.now();
  observe(1, 2);
  await clock.advanceBy(1_000);
  observe(20, 9);
  expect(lateMs()).toBe(2);
  observe(1, 1);
  expect(lateMs()).toBe(1);
  await clock.advanceBy(2_001);
  observe(7, 5);
  expect(lateMs()).toBe(1);
  observe(1, 6);
  expect(lateMs()).toBe(5);
});

test('an answer that came late says nothing of how far the local clock is off, unless it is further than that', async () => {
  const clock = new ManualClock();
  const offsetOf = async (aheadMs: number, lateMs: number): Promise<number> => {
    const time = new StorageTime(clock);
    const sentAt = clock.monotonic();
    const storageNow = clock.now() - aheadMs + 0.5;
    await clock.advanceBy(lateMs);
    time.observe(storageNow, sentAt);
    return Math.round(time.localOffsetMs);
  };
  expect(await offsetOf(0, 3_000)).toBe(0);
  expect(await offsetOf(5_000, 3_000)).toBe(5_000);
  expect(await offsetOf(-5_000, 3_000)).toBe(-2_000);
  expect(await offsetOf(5_000, 0)).toBe(5_000);
  expect(await offsetOf(-5_000, 0)).toBe(-5_000);
});

describe('what is certain', () => {
  const hour = 3_600_000;

  test('is never ahead of a clock that is set back by some milliseconds, from the next answer on', async () => {
    const clock = new ManualClock();
    const time = new StorageTime(clock);
    let serverMs = 1_000_000.5;
    const ask = async (wayMs: number): Promise<void> => {
      const sentAt = clock.monotonic();
      await clock.advanceBy(wayMs);
      time.observe(serverMs + clock.monotonic(), sentAt);
      await clock.advanceBy(wayMs);
    };
    await ask(1);
    serverMs -= 700;
    await ask(3);
    const server = serverMs + clock.monotonic();
    expect(time.hasReached(server + 1)).toBe(false);
    expect(time.now()).toBeLessThanOrEqual(server);
    expect(time.hasReached(server - 4)).toBe(true);
  });

  test('leaves room for clocks that come apart', async () => {
    const clock = new ManualClock();
    const time = new StorageTime(clock);
    time.observe(1_000.5, clock.monotonic());
    await clock.advanceBy(20_000);
    // The clock of the storage went slower, by 500 millionths.
    const server = 1_000.5 + 20_000 - 10;
    expect(time.hasReached(Math.ceil(server))).toBe(false);
    expect(time.untilCertain(Math.ceil(server))).toBeGreaterThan(0);
    time.observe(server, clock.monotonic());
    expect(time.hasReached(Math.floor(server))).toBe(true);
  });

  test('goes by the wall clock of the machine before the first answer', () => {
    const clock = new ManualClock();
    expect(new StorageTime(clock).hasReached(clock.now())).toBe(true);
    expect(new StorageTime(clock).hasReached(clock.now() + 1)).toBe(false);
  });

  test('a slow answer is no leap, however slow it is', async () => {
    const clock = new ManualClock();
    const leaps: ClockLeap[] = [];
    const time = new StorageTime(clock, (leap) => leaps.push(leap));
    time.observe(clock.now() + hour + 0.5, clock.monotonic());
    const sentAt = clock.monotonic();
    const read = clock.now() + hour + 0.5;
    await clock.advanceBy(45_000);
    time.observe(read, sentAt);
    expect(leaps).toEqual([]);
    expect(time.now()).toBe(Math.floor(clock.now() + hour));
  });

  test('a slow answer does not show that a clock which is doubted has come back', async () => {
    const clock = new ManualClock();
    const leaps: ClockLeap[] = [];
    const time = new StorageTime(clock, (leap) => leaps.push(leap));
    time.observe(clock.now() + 0.5, clock.monotonic());
    time.observe(clock.now() - 20_000.5, clock.monotonic());
    const sentAt = clock.monotonic();
    const read = clock.now() - 20_000.5;
    await clock.advanceBy(45_000);
    time.observe(read, sentAt);
    time.observe(clock.now() - 20_000.5, clock.monotonic());
    expect(leaps.map(({ state }) => state)).toEqual(['doubted']);
    expect(time.scheduleNow()).toBe(clock.now());
  });
});
