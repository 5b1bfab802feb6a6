import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClaimLostError, RunSettledError, TransactionNotSupportedError } from '../../lib/model/errors.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { Gate } from '../support/real.app.js';

/** A storage whose transactions settle like any other call: what the engine makes of them is under test. */
class TransactingStorage extends MemoryStorage {
  override async transaction<T>(
    work: (manager: never) => T | Promise<T>,
    conclude: (value: T) => Parameters<MemoryStorage['settle']>[0][number],
  ): Promise<T> {
    const value = await work(undefined as never);
    const settlement = conclude(value);
    const { accepted } = await this.settle([settlement]);
    if (accepted.length === 0) throw new ClaimLostError(settlement.runId);
    return value;
  }
}

describe('the transaction of a run', () => {
  let clock: ManualClock;
  let rig: EngineRig;

  beforeEach(() => {
    clock = new ManualClock();
  });

  afterEach(() => rig.stop(60_000));

  const run = async (storage: MemoryStorage, work: (context: RunContext) => unknown): Promise<void> => {
    rig = new EngineRig({ clock, storage }).handle('work', work);
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
  };
  const ledger = async () =>
    (await rig.storage.queryAttempts({}, {})).items.map(({ outcome, result }) => ({ outcome, result }));

  test('is refused in memory', async () => {
    let error: unknown;
    await run(new MemoryStorage({ clock }), async ({ transaction }) => {
      await transaction(() => 1).catch((reason: unknown) => (error = reason));
    });
    expect(error).toBeInstanceOf(TransactionNotSupportedError);
    expect(String(error)).toContain('"memory"');
    expect(await ledger()).toEqual([{ outcome: 'succeeded', result: null }]);
  });

  test('settles the run once, with the value of its work as the result', async () => {
    await run(new TransactingStorage({ clock }), async ({ transaction }) => {
      expect(await transaction(() => 'kept')).toBe('kept');
      return 'dropped';
    });
    expect(await ledger()).toEqual([{ outcome: 'succeeded', result: 'kept' }]);
    expect(rig.told.filter((name) => name.startsWith('run.'))).toEqual(['run.started', 'run.succeeded']);
  });

  test('is committed when an Observable that its work returns has ended, with its last value', async () => {
    const told: unknown[] = [];
    await run(new TransactingStorage({ clock }), async ({ transaction }) => {
      told.push(await transaction(() => of('first', 'last')));
    });
    expect(told).toEqual(['last']);
    expect(await ledger()).toEqual([{ outcome: 'succeeded', result: 'last' }]);
  });

  test('cannot begin once the attempt has ended', async () => {
    let transaction!: RunContext['transaction'];
    await run(new TransactingStorage({ clock }), (context) => void ({ transaction } = context));
    await expect(transaction(() => 1)).rejects.toBeInstanceOf(RunSettledError);
    expect(await ledger()).toEqual([{ outcome: 'succeeded', result: null }]);
  });

  describe('that the handler has not awaited', () => {
    let gate: Gate;
    const failing = new Error('no such table');

    beforeEach(() => {
      gate = new Gate();
    });

    const unawaited = (work: () => unknown, then: () => unknown = () => 'dropped') =>
      run(new TransactingStorage({ clock }), async ({ transaction }) => {
        void transaction(async () => {
          await gate.passed;
          return work();
        });
        return then();
      });
    const passOn = async (): Promise<void> => {
      expect(await ledger()).toEqual([]);
      gate.release();
      await rig.settle();
    };
    const throwing = (): never => {
      throw failing;
    };
    const errors = async () =>
      (await rig.storage.queryAttempts({}, {})).items.map(({ outcome, error }) => [
        outcome,
        error?.split('\n')[0],
      ]);

    test('is waited for, and settles the run', async () => {
      await unawaited(() => 'kept');
      await passOn();
      expect(await ledger()).toEqual([{ outcome: 'succeeded', result: 'kept' }]);
    });

    test('is waited for also where the handler has thrown meanwhile', async () => {
      await unawaited(() => 'kept', throwing);
      await passOn();
      expect(await ledger()).toEqual([{ outcome: 'succeeded', result: 'kept' }]);
    });

    test('has the run fail when it fails', async () => {
      await unawaited(throwing);
      await passOn();
      expect(await errors()).toEqual([['failed', 'Error: no such table']]);
    });

    test('leaves the error of the handler on record where both fail', async () => {
      await unawaited(throwing, () => {
        throw new Error('of the handler');
      });
      await passOn();
      expect(await errors()).toEqual([['failed', 'Error: of the handler']]);
    });

    test('has its time like the handler, and after it changes nothing and ends no process', async () => {
      rig = new EngineRig({ clock, storage: new TransactingStorage({ clock }) }).handle(
        'work',
        ({ transaction }) => {
          void transaction(() => gate.passed);
        },
      );
      await rig.engine.start();
      await rig.add({ policies: { timeoutMs: 1_000 } });
      for (let passed = 0; passed < 10_000; passed += 500) await clock.advanceBy(500);
      expect(await ledger()).toEqual([{ outcome: 'timed_out', result: null }]);
      gate.release();
      await rig.settle();
      expect(await ledger()).toEqual([{ outcome: 'timed_out', result: null }]);
    });
  });
});
