import { afterEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Beat, BeatOrder } from '../../lib/ports/beat.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { OffsetClock } from '../support/offset.clock.js';
import { FaultyStorage } from '../support/faulty.storage.js';

/** A storage with a beat that says what the test wants. */
class BeatingStorage extends MemoryStorage {
  order: BeatOrder | null = null;
  ticks = 0;
  ownRenewalMsAgo = Infinity;
  outsideMsAgo = Infinity;
  underWayMsAgo: number | null = null;
  stopped = 0;

  async startBeat(order: BeatOrder): Promise<Beat> {
    this.order = order;
    return {
      tick: (renewedMsAgo) => {
        this.ticks++;
        this.ownRenewalMsAgo = renewedMsAgo;
      },
      renewedMsAgo: () => this.outsideMsAgo,
      underWayMsAgo: () => this.underWayMsAgo ?? this.outsideMsAgo,
      stop: async () => void this.stopped++,
    };
  }
}

describe('a lease with a beat outside of the event loop', () => {
  const clock = new ManualClock();
  let rig: EngineRig;

  afterEach(async () => {
    await rig.end(120_000);
  });

  test('tells the beat that the loop turns and when it renewed, until the engine stops', async () => {
    const storage = new BeatingStorage({ clock });
    rig = new EngineRig({ clock, storage, options: { leaseMs: 30_000, maxBlockedMs: 60_000 } });
    await rig.engine.start();
    await clock.advanceBy(10_000);
    expect(storage.order).toEqual({ workerId: rig.engine.workerId, leaseMs: 30_000, maxBlockedMs: 60_000 });
    expect(storage.ticks).toBeGreaterThanOrEqual(10);
    expect(storage.ownRenewalMsAgo).toBeLessThanOrEqual(10_000);
    await rig.stop();
    expect(storage.stopped).toBe(1);
  });

  test('is trusted while the beat renews it, although the loop cannot', async () => {
    const storage = new BeatingStorage({ clock });
    const faulty = new FaultyStorage(storage);
    rig = new EngineRig({ clock, storage: faulty.storage, options: { leaseMs: 30_000 } });
    await rig.engine.start();
    faulty.goDown();
    storage.outsideMsAgo = 0;
    await clock.advanceBy(60_000);
    expect(rig.told).not.toContain('worker.lease-lost');
    storage.outsideMsAgo = Infinity;
    await clock.advanceBy(60_000);
    expect(rig.told).toContain('worker.lease-lost');
    faulty.comeUp();
    await clock.advanceBy(30_000);
  });

  test('that renews after the clock of the storage was set back is not taken for a storage that has lost commits', async () => {
    const time = new OffsetClock(clock);
    const storage = new BeatingStorage({ clock: time });
    rig = new EngineRig({ clock, storage, options: { leaseMs: 30_000 } });
    await rig.engine.start();
    await clock.advanceBy(12_000);
    time.offsetMs = -60_000;
    await storage.renew(rig.engine.workerId!, 30_000, 0);
    storage.outsideMsAgo = 1_000;
    await clock.advanceBy(10_000);
    storage.outsideMsAgo = Infinity;
    await clock.advanceBy(60_000);
    expect(rig.told).not.toContain('storage.went-back');
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  test('that renews beside the loop, both having woken at once, is not taken for a storage that has lost commits', async () => {
    const time = new OffsetClock(clock);
    const storage = new BeatingStorage({ clock: time });
    rig = new EngineRig({ clock, storage, options: { leaseMs: 30_000 } });
    await rig.engine.start();
    await clock.advanceBy(10_000);
    // Begun before that of the loop, it has waited for it at the row.
    time.offsetMs = -2;
    await storage.renew(rig.engine.workerId!, 30_000, 0);
    time.offsetMs = 0;
    await clock.advanceBy(9_999);
    storage.outsideMsAgo = 10_001;
    storage.underWayMsAgo = 9_998;
    await clock.advanceBy(1);
    expect(rig.told).not.toContain('storage.went-back');
    storage.outsideMsAgo = Infinity;
    storage.underWayMsAgo = null;
  });

  test('works without it, and says so, when it cannot begin', async () => {
    const storage = new BeatingStorage({ clock });
    storage.startBeat = () => Promise.reject(new Error('no threads here'));
    rig = new EngineRig({ clock, storage });
    await rig.engine.start();
    await clock.advanceBy(60_000);
    expect(rig.told).toContain('beat.unavailable');
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  test('begins none when it is switched off', async () => {
    const storage = new BeatingStorage({ clock });
    rig = new EngineRig({ clock, storage, options: { maxBlockedMs: 0 } });
    await rig.engine.start();
    await clock.advanceBy(60_000);
    expect(storage.order).toBeNull();
  });
});
