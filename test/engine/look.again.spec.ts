import { beforeEach, describe, expect, test } from 'vitest';
import { LookAgain } from '../../lib/engine/look.again.js';
import type { Wake } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { EngineRig } from '../support/engine.js';

describe('looking again for what a transaction may have committed', () => {
  let clock: ManualClock;
  let looks: { at: number; kind: Wake['kind'] }[];
  let again: LookAgain;

  beforeEach(() => {
    clock = new ManualClock();
    looks = [];
    const start = clock.monotonic();
    again = new LookAgain(clock, ({ kind }) => looks.push({ at: clock.monotonic() - start, kind }));
  });

  const changeAt = (...times: number[]) => times.map((at) => ({ at, kind: 'change' }));

  test('happens 20, 50, 100, 200 and 500 ms after the call', async () => {
    again.begin('change');
    await clock.advanceBy(10_000);
    expect(looks).toEqual(changeAt(20, 50, 100, 200, 500));
  });

  test('happens for many calls together, and no call puts off a look that is planned', async () => {
    for (let i = 0; i < 10; i++) {
      again.begin('due');
      expect(clock.pending).toBe(1);
      await clock.advanceBy(10);
    }
    await clock.advanceBy(10_000);
    // The last call was at 90 ms.
    expect(looks).toEqual(changeAt(20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 140, 190, 290, 590));
  });

  test('happens soon after each call, also while the last looks for an earlier one are to come', async () => {
    again.begin('change');
    await clock.advanceBy(200);
    again.begin('change');
    expect(clock.pending).toBe(1);
    await clock.advanceBy(10_000);
    expect(looks).toEqual(changeAt(20, 50, 100, 200, 220, 250, 300, 400, 700));
  });

  test('asks for cancelled runs too, once somebody cancelled, until it is over', async () => {
    again.begin('cancel');
    again.begin('change');
    await clock.advanceBy(1_000);
    expect(looks.filter(({ kind }) => kind === 'cancel').map(({ at }) => at)).toEqual([
      20, 50, 100, 200, 500,
    ]);
    looks.length = 0;
    again.begin('change');
    await clock.advanceBy(1_000);
    expect(looks.map(({ kind }) => kind)).toEqual(Array(5).fill('change'));
  });

  test('ends when told to, and begins anew', async () => {
    again.begin('change');
    await clock.advanceBy(40);
    again.stop();
    expect(clock.pending).toBe(0);
    await clock.advanceBy(1_000);
    expect(looks).toEqual(changeAt(20));
    again.begin('change');
    await clock.advanceBy(30);
    expect(looks).toEqual(changeAt(20, 1_060));
  });
});

describe('an engine that is told of an uncommitted change', () => {
  const due = (rig: EngineRig, inMs = 0): Wake => ({ kind: 'due', at: rig.clock.now() + inMs });
  /** How many timers that adds. */
  const added = async (rig: EngineRig, wake: Wake): Promise<number> => {
    await rig.settle();
    const before = rig.clock.pending;
    rig.engine.wakeAfterCommit(wake);
    return rig.clock.pending - before;
  };

  test('does nothing unless it runs, and leaves nothing behind when it stops', async () => {
    const rig = new EngineRig();
    expect(await added(rig, due(rig))).toBe(0);
    await rig.engine.start();
    expect(await added(rig, due(rig))).toBe(1);
    await rig.stop();
    expect(rig.clock.pending).toBe(0);
    expect(await added(rig, due(rig))).toBe(0);
  });

  test('does not look for what is due after its next poll anyway', async () => {
    const rig = new EngineRig();
    await rig.engine.start();
    expect(await added(rig, due(rig, 3_600_000))).toBe(0);
    expect(await added(rig, due(rig, 1_000))).toBe(1);
    await rig.stop();
  });
});
