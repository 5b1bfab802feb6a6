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
