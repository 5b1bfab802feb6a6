import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RetryAfterError, UnrecoverableError } from '../../lib/model/errors.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { EngineRig } from '../support/engine.js';

describe('retries', () => {
  let rig: EngineRig;
  let start: number;
  /** When attempts began, from the start. */
  let began: number[];

  beforeEach(() => {
    rig = new EngineRig();
    start = rig.clock.now();
    began = [];
  });

  afterEach(() => rig.end());

  const ledger = async () =>
    (await rig.storage.queryAttempts({}, {})).items
      .map(({ attempt, outcome, final }) => [attempt, outcome, final])
      .toReversed();
  const retries = { maxRetries: 3, backoff: { type: 'fixed', delayMs: 1_000 } } as const;

  /** Runs one job until the time is over. */
  async function play(handler: (context: RunContext) => unknown, policies: object, passMs = 20_000) {
    rig.handle('work', (context: RunContext) => {
      began.push(rig.clock.now() - start);
      return handler(context);
    });
    await rig.engine.start();
    await rig.add({ policies });
    await rig.clock.advanceBy(passMs);
  }

  test('an UnrecoverableError ends a run that has retries left', async () => {
    await play(() => {
      throw new UnrecoverableError('no such account');
    }, retries);
    expect(await ledger()).toEqual([[1, 'failed', true]]);
  });

  test('a RetryAfterError says when the next attempt is due', async () => {
    await play(({ attempt }) => {
      if (attempt < 3) throw new RetryAfterError(`${attempt * 3}s`);
    }, retries);
    expect(began).toEqual([0, 3_000, 9_000]);
    expect(await ledger()).toEqual([
      [1, 'failed', false],
      [2, 'failed', false],
      [3, 'succeeded', true],
    ]);
  });

  test('a snoozed run is called again later, without counting the attempt', async () => {
    const told: ChronisEventMap['run.snoozed'][] = [];
    rig.events.on('run.snoozed', (event) => told.push(event));
    await play((context) => {
      if (began.length < 4) return context.snooze('2s');
      throw new Error('boom');
    }, {});
    expect(began).toEqual([0, 2_000, 4_000, 6_000]);
    expect(await ledger()).toEqual([
      [1, 'snoozed', false],
      [1, 'snoozed', false],
      [1, 'snoozed', false],
      [1, 'failed', true],
    ]);
    expect(told[0]).toMatchObject({ attempt: 1, until: new Date(start + 2_000) });
    expect(rig.told).toContain('run.failed');
  });

  test('a delay that is none fails the handler that snoozes with it', async () => {
    await play((context) => context.snooze(-5), {});
    const [row] = (await rig.storage.queryAttempts({}, {})).items;
    expect(row).toMatchObject({ outcome: 'failed', final: true });
    expect(row!.error).toContain('delay: -5 must not be negative.');
  });

  test('a handler that snoozes and then throws has failed', async () => {
    await play((context) => {
      context.snooze('1m');
      throw new Error('boom');
    }, {});
    expect(await ledger()).toEqual([[1, 'failed', true]]);
  });

  test('a snoozed run that somebody cancels ends', async () => {
    await play((context) => context.snooze('1h'), {}, 1_000);
    const [run] = (await rig.storage.queryRuns({}, {})).items;
    expect(await rig.storage.cancelRun(run!.id)).toBe('cancelled');
    expect(await ledger()).toEqual([
      [1, 'snoozed', false],
      [0, 'cancelled', true],
    ]);
  });

  test('the rules of the handler decide, and what goes wrong with them is told', async () => {
    const told: unknown[] = [];
    rig.events.on('retry-rule.failed', ({ rule, error }) => told.push([rule, (error as Error).message]));
    rig.handlers.register(
      'work',
      ({ attempt }) => {
        began.push(rig.clock.now() - start);
        throw new Error(attempt < 3 ? 'busy' : 'gone');
      },
      'test',
      {
        retryIf: (error) => (error as Error).message === 'busy',
        backoff: (retry) => (retry === 1 ? '5s' : NaN),
      },
    );
    await rig.engine.start();
    await rig.add({ policies: retries });
    await rig.clock.advanceBy(20_000);
    expect(began).toEqual([0, 5_000, 6_000]);
    expect(told).toEqual([['backoff', 'delay: NaN is not a finite number.']]);
    expect((await ledger()).at(-1)).toEqual([3, 'failed', true]);
  });

  test('a retry waits until the attempt that timed out has ended in this process', async () => {
    const ended: number[] = [];
    await play(
      async ({ attempt }) => {
        if (attempt > 1) return;
        await new Promise<void>((resolve) => rig.clock.setTimer(12_000, resolve));
        ended.push(rig.clock.now() - start);
      },
      { ...retries, timeoutMs: 1_000 },
    );
    expect(began).toEqual([0, 12_000]);
    expect(ended).toEqual([12_000]);
    expect(await ledger()).toEqual([
      [1, 'timed_out', false],
      [2, 'succeeded', true],
    ]);
  });

  test('a retry begins after a minute beside an attempt that never ends', async () => {
    await play(
      ({ attempt }) => (attempt > 1 ? undefined : new Promise(() => undefined)),
      { ...retries, timeoutMs: 1_000 },
      80_000,
    );
    // 1 s timeout, 5 s grace, 1 s backoff, 60 s.
    expect(began).toEqual([0, 67_000]);
    expect((await ledger()).at(-1)).toEqual([2, 'succeeded', true]);
  });

  test('a retry that waits for the earlier attempt can be cancelled, and handed back at shutdown', async () => {
    await play(() => new Promise(() => undefined), { ...retries, timeoutMs: 1_000 }, 10_000);
    const [run] = (await rig.storage.queryRuns({}, {})).items;
    expect(run).toMatchObject({ state: 'running', attempt: 2 });
    expect(began).toHaveLength(1);
    await rig.storage.cancelRun(run!.id);
    await rig.settle();
    expect(await ledger()).toEqual([
      [1, 'timed_out', false],
      [2, 'cancelled', true],
    ]);
    await rig.add({ policies: { ...retries, timeoutMs: 1_000 } });
    await rig.clock.advanceBy(10_000);
    await rig.stop(60_000);
    expect((await ledger()).at(-1)).toEqual([2, 'handed_back', false]);
  });

  test('a cancel reaches a handler in another process at once by the wake signal', async () => {
    const aborted: number[] = [];
    await play(
      async ({ signal }) => {
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(rig.clock.now() - start);
            reject(signal.reason as Error);
          });
        });
      },
      {},
      3_000,
    );
    const [run] = (await rig.storage.queryRuns({}, {})).items;
    expect(await rig.storage.cancelRun(run!.id)).toBe('requested');
    await rig.settle();
    expect(aborted).toEqual([3_000]);
    expect(await ledger()).toEqual([[1, 'cancelled', true]]);
    expect(await rig.storage.cancelRun(run!.id)).toBeNull();
  });

  test('without a wake signal a cancel reaches the handler at the next beat', async () => {
    const silent = new EngineRig({ clock: rig.clock, storage: withoutSignal(rig) });
    const aborted: number[] = [];
    silent.handle('work', async ({ signal }: RunContext) => {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(silent.clock.now() - start);
          reject(signal.reason as Error);
        });
      });
    });
    await silent.engine.start();
    await silent.add({});
    await silent.clock.advanceBy(3_000);
    const [run] = (await rig.storage.queryRuns({}, {})).items;
    await rig.storage.cancelRun(run!.id);
    await silent.clock.advanceBy(20_000);
    expect(aborted).toEqual([10_000]);
    await silent.stop(60_000);
  });
});

function withoutSignal({ storage }: EngineRig): EngineRig['storage'] {
  return new Proxy(storage, {
    get: (target, key) => {
      if (key === 'wakeSignal') return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
