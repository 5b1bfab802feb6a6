import { beforeEach, describe, expect, test } from 'vitest';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';

describe('rows that somebody else keeps locked are told once, and when that is over:', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let rig: EngineRig;
  let told: unknown[];
  let isLocked: boolean;

  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    rig = new EngineRig({ clock, storage, options: { pollMs: 1_000 } });
    told = [];
    isLocked = false;
    const note = (event: ChronisEventMap['rows.locked' | 'rows.unlocked']): void => void told.push(event);
    rig.events.on('rows.locked', note);
    rig.events.on('rows.unlocked', note);
  });

  test('results of runs', async () => {
    const settle = storage.settle.bind(storage);
    storage.settle = async (settlements) =>
      isLocked ? { accepted: [], locked: settlements.map(({ runId }) => runId) } : settle(settlements);
    rig.handle('work', () => undefined);
    await rig.engine.start();
    isLocked = true;
    await rig.add({}, {});
    await clock.advanceBy(4_000);
    expect(told).toEqual([]);
    await clock.advanceBy(5_000);
    const first = (await storage.queryRuns({}, {})).items.at(-1)!.id;
    expect(told).toEqual([
      {
        work: 'results',
        tables: ['run', 'job_stat', 'cursor'],
        rows: 2,
        lockedMs: expect.any(Number) as number,
        first,
      },
    ]);
    isLocked = false;
    await clock.advanceBy(2_000);
    expect(told).toHaveLength(2);
    expect(told[1]).toMatchObject({ work: 'results', tables: ['run', 'job_stat', 'cursor'] });
    // Again within the minute, but not for ever.
    for (let times = 2; times <= 6; times++) {
      isLocked = true;
      await rig.add({});
      await clock.advanceBy(7_500);
      isLocked = false;
      await clock.advanceBy(2_000);
      expect(told).toHaveLength(2 * Math.min(times, 4));
    }
    await rig.stop();
  });

  test('but not that it is over when the process stops before', async () => {
    storage.settle = async (settlements) => ({
      accepted: [],
      locked: settlements.map(({ runId }) => runId),
    });
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({});
    await clock.advanceBy(10_000);
    await rig.stop(120_000);
    expect(told).toMatchObject([{ work: 'results', rows: 1 }]);
    expect(rig.told).not.toContain('rows.unlocked');
  });

  test('schedules that are due', async () => {
    const fire = storage.fire.bind(storage);
    storage.fire = async (capability, firings, ...rest) =>
      isLocked
        ? { now: clock.now(), moved: [], runs: [], unclaimed: 0, skipped: [] }
        : fire(capability, firings, ...rest);
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 1_000, { id: 'tick', policies: { overlap: 'allow' } }));
    isLocked = true;
    await clock.advanceBy(20_000);
    expect(told).toMatchObject([
      { work: 'schedules', tables: ['cursor', 'run', 'job_stat', 'job'], rows: 1 },
    ]);
    expect((told[0] as { first: string }).first).toMatch(/^default\/tick at 2026-01-01T00:00:01/);
    isLocked = false;
    await clock.advanceBy(3_000);
    expect(told).toHaveLength(2);
    await rig.stop();
  });

  test('but not who is slower than others each time', async () => {
    const other = new EngineRig({ clock, storage: storage.open(), options: { pollMs: 1_000 } });
    for (const each of [rig, other]) each.handle('work', () => undefined);
    const fire = storage.fire.bind(storage);
    storage.fire = async (...args) => {
      await new Promise<void>((resolve) => clock.setTimer(300, resolve));
      return fire(...args);
    };
    await rig.engine.start();
    await other.engine.start();
    await rig.add(everyMs(clock.now(), 1_000, { policies: { overlap: 'allow' } }));
    await clock.advanceBy(60_000);
    expect(told).toEqual([]);
    await rig.stop(5_000);
    await other.stop(5_000);
  });
});
