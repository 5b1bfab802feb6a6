import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { engineDefaults } from '../../lib/engine/engine.options.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { ReturningStorage } from '../support/returning.storage.js';

describe('a storage that has lost what it had confirmed', () => {
  let clock: ManualClock;
  let returning: ReturningStorage;
  let faulty: FaultyStorage;
  let rig: EngineRig;
  let begun: RunContext[];
  let ends: (() => void)[];

  beforeEach(async () => {
    clock = new ManualClock();
    returning = new ReturningStorage({ clock });
    faulty = new FaultyStorage(returning.storage);
    rig = new EngineRig({ clock, storage: faulty.storage, options: { pollMs: 1_000 } });
    begun = [];
    ends = [];
    rig.handle('work', (context: RunContext) => {
      begun.push(context);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
    await rig.engine.start();
  });

  afterEach(() => rig.stop(60_000));

  const ledger = async () =>
    (await rig.storage.queryAttempts({}, {})).items.map(({ outcome, final }) => [outcome, final]);

  test('and hands out the same claim again: the execution that goes on is the one', async () => {
    await rig.add({ nextAt: clock.now() + 500 });
    returning.keep();
    await clock.advanceBy(2_000);
    expect(begun).toHaveLength(1);
    returning.goBack();
    await clock.advanceBy(3_000);
    expect(begun).toHaveLength(1);
    expect(begun[0]!.signal.aborted).toBe(false);
    ends[0]!();
    await clock.advanceBy(2_000);
    expect(await ledger()).toEqual([['succeeded', true]]);
    expect(rig.told).not.toContain('run.stale');
  });

  test('and hands out the run with another claim: what goes on is told, and the run is executed anew', async () => {
    await rig.add({
      nextAt: clock.now() + 500,
      policies: { maxRetries: 3, backoff: { type: 'fixed', delayMs: 100 } },
    });
    returning.keep();
    await clock.advanceBy(2_000);
    const [{ runId }] = begun as [RunContext];
    // Back then the run had another history: claimed and given back once by somebody.
    returning.goBack();
    const other = { workerId: 'other', app: 'test', queues: ['default'], handlers: ['work'] };
    await rig.storage.register(
      {
        ...{ id: 'other', name: 'other', app: 'test', generation: null, host: 'h', pid: 1, version: '1' },
        ...{ zoneData: '', queues: other.queues, handlers: other.handlers, retention: null },
      },
      60_000,
    );
    const { runs } = await rig.storage.claim(other, 1);
    expect(runs).toMatchObject([{ id: runId, fence: 1 }]);
    await rig.storage.giveBack(runs.map(({ id, fence }) => ({ runId: id, fence, worker: 'other' })));
    await clock.advanceBy(3_000);
    expect(begun[0]!.signal.aborted).toBe(true);
    ends[0]!();
    await clock.advanceBy(5_000);
    expect(begun).toHaveLength(2);
    ends[1]!();
    await clock.advanceBy(2_000);
    expect(await ledger()).toEqual([['succeeded', true]]);
  });

  test('and the verdict with it: when it answers again, what it takes for held goes back at once', async () => {
    await rig.add({ nextAt: clock.now() + 500 });
    await clock.advanceBy(2_000);
    expect(begun).toHaveLength(1);
    returning.keep();
    ends[0]!();
    await rig.settle();
    expect(await ledger()).toEqual([['succeeded', true]]);
    returning.goBack();
    // Nothing that hands out runs has failed, but something else has.
    faulty.fail('renew', 'before');
    await clock.advanceBy(20_000);
    expect(begun).toHaveLength(2);
    ends[1]!();
    await clock.advanceBy(2_000);
    expect(await ledger()).toEqual([['succeeded', true]]);
  });

  test('is told once, by whoever had renewed since', async () => {
    const { leaseMs } = engineDefaults;
    await clock.advanceBy(leaseMs / 3);
    returning.keep();
    await clock.advanceBy(leaseMs / 3);
    returning.goBack();
    await clock.advanceBy(2 * leaseMs);
    expect(rig.told.filter((name) => name === 'storage.went-back')).toHaveLength(1);
    expect(rig.told).not.toContain('worker.lease-lost');
  });

  test('is told where it does not know a worker whose lease it has renewed', async () => {
    await rig.stop();
    returning.keep();
    await rig.engine.start();
    await clock.advanceBy(engineDefaults.leaseMs / 3);
    returning.goBack();
    await clock.advanceBy(engineDefaults.leaseMs);
    expect(rig.told.filter((name) => name === 'storage.went-back')).toHaveLength(1);
    expect(rig.told).toContain('worker.lease-lost');
  });

  test('and does not know the worker: it registers anew, and schedules go on', async () => {
    await rig.stop();
    returning.keep();
    await rig.engine.start();
    const former = rig.engine.workerId;
    await rig.add({});
    await clock.advanceBy(1_000);
    expect(begun).toHaveLength(1);
    returning.goBack();
    await rig.add(everyMs(clock.now(), 1_000, { handler: 'tick' }));
    let ticks = 0;
    rig.handle('tick', () => ticks++);
    await clock.advanceBy(30_000);
    expect(rig.told).toContain('worker.lease-lost');
    expect(rig.engine.workerId).not.toBe(former);
    expect(begun[0]!.signal.aborted).toBe(true);
    ends[0]!();
    expect(ticks).toBeGreaterThan(5);
  });
});
