import { describe, expect, test } from 'vitest';
import { Subscription } from '../../lib/engine/subscription.js';
import { ManualClock } from '../../lib/testing/index.js';
import { EngineRig, newJob } from '../support/engine.js';

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

test('an engine whose wake signal is refused at its start tells it once, goes on by polls, and wakes at once when it is there', async () => {
  const rig = new EngineRig({ options: { pollMs: 3_600_000 } });
  const signal = rig.storage.wakeSignal!;
  const subscribe = signal.subscribe.bind(signal);
  let refusals = 3;
  signal.subscribe = async (...given) => {
    if (refusals-- > 0) throw new Error('sorry, too many clients already');
    return subscribe(...given);
  };
  let begun = 0;
  rig.handle('work', () => void begun++);
  const ofSignal = () => rig.told.filter((name) => name.startsWith('wake.'));
  /** By another process: nobody tells this engine but the signal. */
  const add = () => rig.storage.insertJobs([newJob(rig.clock.now())], 'raise');

  await rig.engine.start();
  await rig.clock.advanceBy(1_000);
  expect(ofSignal()).toEqual(['wake.unavailable']);
  await add();
  await rig.settle();
  expect(begun).toBe(0);
  await rig.clock.advanceBy(10_000);
  expect(ofSignal()).toEqual(['wake.unavailable', 'wake.recovered']);
  expect(begun, 'What was missed meanwhile').toBe(1);
  await add();
  await rig.settle();
  expect(begun).toBe(2);
  await rig.stop(60_000);
  expect(rig.clock.pending).toBe(0);
});
