import { expect, test } from 'vitest';
import { SystemClock } from '../../lib/ports/system.clock.js';

const clock = new SystemClock();

test.each([-5, 0, 0.4, 1, 2.6, 12.3])(
  'an exact timer of %d ms rings once, and not before its time',
  async (delayMs) => {
    const at = clock.monotonic() + delayMs;
    let rings = 0;
    await new Promise<void>((resolve) => {
      clock.setExactTimer(delayMs, () => {
        rings++;
        resolve();
      });
    });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(at);
    await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
    expect(rings).toBe(1);
  },
);

test.each([0.4, 2.6])('an exact timer of %d ms that was stopped does not ring', async (delayMs) => {
  let rings = 0;
  const stop = clock.setExactTimer(delayMs, () => rings++);
  stop();
  await new Promise<void>((resolve) => void clock.setTimer(10, resolve));
  expect(rings).toBe(0);
});
