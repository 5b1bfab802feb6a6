import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EngineOptions } from '../../lib/engine/engine.options.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';

type Step = 'fire' | 'dueCursors' | 'nextWakeAt';

describe('an engine whose schedules somebody has locked', () => {
  let clock: ManualClock;
  let rig: EngineRig;
  /** Calls that do not answer, and what lets them. */
  let locked: ReadonlySet<string>;
  let hanging: { answer: (error?: Error) => void }[];

  beforeEach(() => {
    clock = new ManualClock();
    locked = new Set();
    hanging = [];
  });

  afterEach(async () => {
    unlock();
    await rig.stop(60_000);
    expect(clock.pending).toBe(0);
  });

  function begin(options: Partial<EngineOptions> = {}, when: 'before' | 'after' = 'before'): void {
    const wait = async (key: string): Promise<void> => {
      if (!locked.has(key)) return;
      await new Promise<void>((resolve, reject) => {
        hanging.push({ answer: (error) => (error ? reject(error) : resolve()) });
      });
    };
    const storage = new Proxy<StorageAdapter>(new MemoryStorage({ clock }), {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (when === 'before') await wait(String(key));
          const answer: unknown = await Reflect.apply(value, target, args);
          if (when === 'after') await wait(String(key));
          return answer;
        };
      },
    });
    rig = new EngineRig({ clock, storage, options });
  }

  function lock(...steps: Step[]): void {
    locked = new Set<string>(steps);
  }

  function unlock(): void {
    locked = new Set();
    for (const { answer } of hanging.splice(0)) answer();
  }

  test.each<[Step]>([['fire'], ['dueCursors'], ['nextWakeAt']])(
    'claims what is due while %s does not answer, and fires all when it does',
    async (step) => {
      begin();
      const fired: number[] = [];
      const start = clock.now();
      rig.handle('work', () => fired.push(clock.now() - start));
      const lags: number[] = [];
      rig.handle('once', ({ nominalAt }) => lags.push(clock.now() - nominalAt.getTime()));
      await rig.engine.start();
      await rig.add(everyMs(start, 1_000, { policies: { misfire: 'all', overlap: 'allow' } }));
      await clock.advanceBy(2_500);
      lock(step);
      for (let second = 0; second < 20; second++) {
        await rig.add({ handler: 'once' });
        await clock.advanceBy(1_000);
      }
      await clock.advanceBy(1_000);
      expect(lags).toHaveLength(20);
      // A moment until the firing counts as late; afterwards it is told of what is due.
      expect(Math.max(...lags)).toBeLessThanOrEqual(2_500);
      expect(lags.slice(4).every((ms) => ms === 0)).toBe(true);
      unlock();
      await clock.advanceBy(1_600);
      expect(fired).toHaveLength(Math.floor((clock.now() - start) / 1_000));
    },
  );

  test('goes on with claims without a break while one firing after the other fails late', async () => {
    begin();
    rig.handle('work', () => undefined);
    const lags: number[] = [];
    rig.handle('once', ({ nominalAt }) => lags.push(clock.now() - nominalAt.getTime()));
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 1_000));
    lock('fire', 'dueCursors', 'nextWakeAt');
    for (let second = 0; second < 120; second++) {
      await rig.add({ handler: 'once' });
      await clock.advanceBy(1_000);
      if (second % 10 === 9) for (const { answer } of hanging.splice(0)) answer(new Error('too late'));
    }
    await clock.advanceBy(1_000);
    expect(lags).toHaveLength(120);
    expect(lags.slice(5).every((ms) => ms === 0)).toBe(true);
  });

  test('begins of a late firing what there is room for, and gives the rest back', async () => {
    begin({ concurrency: 3 }, 'after');
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const fired: string[] = [];
    const hold = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running--;
    };
    rig.handle('once', hold).handle('work', async ({ job }) => {
      fired.push(job.id);
      await hold();
    });
    await rig.engine.start();
    const start = clock.now();
    await rig.add(...['a', 'b', 'c'].map((id) => everyMs(start, 3_600_000, { id, nextAt: start + 500 })));
    lock('fire');
    await clock.advanceBy(600);
    await rig.add({ handler: 'once' }, { handler: 'once' });
    await clock.advanceBy(2_000);
    expect(running).toBe(2);
    unlock();
    await clock.advanceBy(1_000);
    expect(running).toBe(3);
    for (let round = 0; round < 3; round++) {
      for (const end of ends.splice(0)) end();
      await clock.advanceBy(1_000);
    }
    expect(fired.toSorted()).toEqual(['a', 'b', 'c']);
    expect(most).toBe(3);
    const { items } = await rig.storage.queryAttempts({}, {});
    expect(items.map(({ outcome }) => outcome)).not.toContain('lost');
  });
});
