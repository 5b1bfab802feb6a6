import { expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { StorageNow } from '../../lib/scheduler/storage.now.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
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
