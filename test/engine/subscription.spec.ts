import { describe, expect, test } from 'vitest';
import { Subscription } from '../../lib/engine/subscription.js';
import { ManualClock } from '../../lib/testing/index.js';

describe('a subscription that is refused', () => {
  const told: string[] = [];
  const clock = new ManualClock();
  let open = 0;
  let tries = 0;
  let isFull = true;

  const subscription = new Subscription({
    clock,
    random: () => 1,
    subscribe: async () => {
      tries++;
      if (isFull) throw new Error('sorry, too many clients already');
      open++;
      return async () => void open--;
    },
    onRefused: () => told.push('refused'),
    onAccepted: () => told.push('accepted'),
  });

  test('is told once, tried again with growing pauses, and told when it works', async () => {
    await subscription.begin();
    await clock.advanceBy(1_000);
    await clock.advanceBy(1_999);
    expect(tries).toBe(2);
    await clock.advanceBy(1);
    expect(tries).toBe(3);
    expect(told).toEqual(['refused']);
    isFull = false;
    await clock.advanceBy(60_000);
    expect(told).toEqual(['refused', 'accepted']);
    expect(open).toBe(1);
  });

  test('ends, and is not tried any more', async () => {
    await subscription.end();
    expect(open).toBe(0);
    await clock.advanceBy(3_600_000);
    expect(open).toBe(0);
  });
});
