import { expect, test } from 'vitest';
import { StorageTime } from '../../lib/engine/storage.time.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';

test('a time with a fraction is reached when the waiting for it is over', async () => {
  const clock = new ManualClock();
  const time = new StorageTime(clock);
  time.observe(1_000.25);
  const at = 1_020.25;
  await clock.advanceBy(Math.ceil(time.until(at)));
  expect(time.now()).toBeGreaterThanOrEqual(at);
});

test('the best of the last eight answers counts, and of those of the last two seconds', async () => {
  const clock = new ManualClock();
  const time = new StorageTime(clock);
  const observe = (times: number, lateMs: number): void => {
    for (let i = 0; i < times; i++) time.observe(clock.monotonic() + 1_000_000 - lateMs);
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
