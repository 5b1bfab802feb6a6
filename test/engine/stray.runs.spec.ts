import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

describe('the search for runs that a worker has without knowing', () => {
  let clock: ManualClock;
  let memory: MemoryStorage;
  let faulty: FaultyStorage;
  let rig: EngineRig;

  beforeEach(async () => {
    clock = new ManualClock();
    memory = new MemoryStorage({ clock });
    faulty = new FaultyStorage(memory);
    rig = new EngineRig({ clock, storage: faulty.storage, options: { pollMs: 1_000 } });
  });

  afterEach(async () => {
    await rig.stop();
    expect(clock.pending).toBe(0);
  });

  test('keeps no run waiting, however long it takes', async () => {
    const ran: string[] = [];
    rig.handle('work', ({ job }) => void ran.push(job.id));
    await rig.engine.start();
    const heldBy = memory.heldBy.bind(memory);
    let answer = (): void => undefined;
    memory.heldBy = async (workerId) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return heldBy(workerId);
    };
    faulty.fail('claim', 'after');
    await rig.add({ id: 'stray' });
    await clock.advanceBy(1_000);
    await rig.add({ id: 'next' });
    await clock.advanceBy(1_000);
    expect(ran).toEqual(['next']);
    memory.heldBy = heldBy;
    answer();
    await clock.advanceBy(1_000);
    expect(ran).toEqual(['next', 'stray']);
  });

  test('does not take what a claim is about to bring', async () => {
    const ran: string[] = [];
    rig.handle('work', ({ job }) => void ran.push(job.id));
    await rig.engine.start();
    faulty.fail('claim', 'before');
    const claim = memory.claim.bind(memory);
    await rig.add({ id: 'first', policies: { recovery: 'abandon' } });
    // The storage has handed it out, and the answer is on its way while others look for what is held.
    memory.claim = async (...args) => {
      const result = await claim(...args);
      await new Promise<void>((resolve) => clock.setTimer(5_000, resolve));
      return result;
    };
    await clock.advanceBy(10_000);
    expect(faulty.calls.filter((call) => call === 'giveBack')).toEqual([]);
    expect(ran).toEqual(['first']);
    memory.claim = claim;
    await clock.advanceBy(5_000);
  });

  test('becomes seldom again when nothing has failed and nothing was found for a while', async () => {
    rig.handle('work', () => undefined);
    await rig.engine.start();
    faulty.fail('claim', 'after');
    await rig.add({});
    const looksWithin = async (ms: number): Promise<number> => {
      const before = faulty.calls.length;
      await clock.advanceBy(ms);
      return faulty.calls.slice(before).filter((call) => call === 'heldBy').length;
    };
    expect(await looksWithin(30_000)).toBeGreaterThan(10);
    expect(await looksWithin(600_000)).toBeGreaterThan(5);
    expect(await looksWithin(3_600_000)).toBeLessThan(10);
  });
});
