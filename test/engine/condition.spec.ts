import { expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { CancelTimer } from '../../lib/ports/clock.js';
import type { WorkerInfo } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { OffsetClock } from '../support/offset.clock.js';

/** A clock whose timers come late, as they do where the event loop is busy. */
class LateClock extends ManualClock {
  lateMs = 0;

  override setTimer(inMs: number, callback: () => void): CancelTimer {
    return super.setTimer(inMs + this.lateMs, callback);
  }
}

/** As little as the answers allow: clocks may have come apart since the last one. */
const ahead: number = expect.closeTo(2_500, -2);

test('a worker tells with each beat how far its clock is ahead and how late its event loop was at most', async () => {
  const clock = new LateClock();
  const server = new OffsetClock(clock);
  const storage = new MemoryStorage({ clock: server });
  const rig = new EngineRig({ clock, storage, options: { leaseMs: 30_000, concurrency: 7 } });
  const worker = async (): Promise<WorkerInfo> =>
    (await storage.queryWorkers()).find(({ id }) => id === rig.engine.workerId)!;
  await rig.engine.start();
  expect(await worker()).toMatchObject({ slots: 7, condition: null });
  await clock.advanceBy(10_000);
  expect((await worker()).condition).toEqual({ clockOffsetMs: 0, loopLagMs: 0 });

  server.offsetMs = -2_500;
  clock.lateMs = 400;
  await clock.advanceBy(20_800);
  expect((await worker()).condition).toEqual({ clockOffsetMs: ahead, loopLagMs: 400 });

  clock.lateMs = 0;
  await clock.advanceBy(21_000);
  expect((await worker()).condition).toEqual({ clockOffsetMs: ahead, loopLagMs: 0 });
  await rig.end();
});
