import { afterEach, describe, expect, test, vi } from 'vitest';
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

describe('with fake timers of somebody else', () => {
  afterEach(() => vi.useRealTimers());

  test('shows the real time, and its timers ring', async () => {
    const wall = clock.now();
    const monotonic = clock.monotonic();
    vi.useFakeTimers({
      now: 0,
      toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
    });
    vi.advanceTimersByTime(5_000);
    expect(Date.now()).toBe(5_000);
    expect(clock.now() - wall).toBeGreaterThanOrEqual(0);
    expect(clock.monotonic() - monotonic).toBeLessThan(5_000);
    await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
    await new Promise<void>((resolve) => void clock.setExactTimer(0.4, resolve));
    let rings = 0;
    clock.setTimer(1, () => rings++)();
    await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
    expect(rings).toBe(0);
  });
});

describe('a timer of more than 24.8 days', () => {
  const day = 86_400_000;

  /** The class as it is loaded where time can be moved on. */
  async function fakedClock() {
    vi.useFakeTimers({
      toFake: ['performance', 'Date', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
    });
    vi.resetModules();
    const { SystemClock: Faked } = await import('../../lib/ports/system.clock.js');
    return new Faked();
  }

  afterEach(() => {
    vi.useRealTimers();
    vi.resetModules();
  });

  test.each([25, 30, 100])('rings after %d days, once', async (days) => {
    const faked = await fakedClock();
    let rings = 0;
    faked.setTimer(days * day, () => rings++);
    vi.advanceTimersByTime(days * day - 1);
    expect(rings).toBe(0);
    vi.advanceTimersByTime(1);
    expect(rings).toBe(1);
    vi.advanceTimersByTime(100 * day);
    expect(rings).toBe(1);
  });

  test.each([1, 24.9, 60])('does not ring when it is stopped after %d days', async (days) => {
    const faked = await fakedClock();
    let rings = 0;
    const stop = faked.setTimer(90 * day, () => rings++);
    vi.advanceTimersByTime(days * day);
    stop();
    vi.advanceTimersByTime(100 * day);
    expect(rings).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
