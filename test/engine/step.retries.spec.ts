import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DurableStepOptions, RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import {
  DurableStepMismatchError,
  InvalidOptionError,
  InvalidScheduleError,
  RetryAfterError,
  StepResultError,
  StepTimeoutError,
  UnrecoverableError,
} from '../../lib/model/errors.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe('a step with retries of its own', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let faulty: FaultyStorage;
  let rig: EngineRig;
  let tries: { at: number; retry: number }[];
  let errors: unknown[];

  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock });
    faulty = new FaultyStorage(storage);
    rig = new EngineRig({
      clock,
      storage: faulty.storage,
      options: { leaseMs: 10 * second, abortGraceMs: second },
    });
    tries = [];
    errors = [];
  });

  afterEach(() => rig.end());

  async function play(handler: (context: RunContext) => unknown, policies: object = {}): Promise<void> {
    rig.handle('work', async (context: RunContext) => {
      try {
        return await handler(context);
      } catch (error) {
        errors.push(error);
        throw error;
      }
    });
    await rig.engine.start();
    await rig.add({ policies });
    await rig.settle();
  }

  const outcomes = async () =>
    (await storage.queryAttempts({}, {})).items.map(({ outcome }) => outcome).toReversed();
  const resultOf = async () => (await storage.queryAttempts({}, {})).items[0]!.result;
  const stepOf = async (name: string) => {
    const { runId } = (await storage.queryAttempts({}, {})).items[0]!;
    return (await storage.queryRunSteps(runId)).find((step) => step.name === name);
  };

  /** Fails so many times, and notes each try. */
  const failing =
    (times: number, error: () => unknown = () => new Error('Not yet.')) =>
    ({ retry }: { retry: number }): string => {
      tries.push({ at: clock.now(), retry });
      if (tries.length <= times) throw error();
      return 'charged';
    };
  const later = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve));
  const gaps = (): number[] => tries.slice(1).map(({ at }, nth) => at - tries[nth]!.at);

  test('ends the attempt until the next try, which counts as none, takes no place and survives restarts', async () => {
    await play(async ({ step }) => {
      await step('before', () => 1);
      return step('charge', failing(2), { maxRetries: 3, backoff: ['1m', '1h'] });
    });
    expect(rig.engine.status().running).toBe(0);
    expect(await stepOf('charge')).toMatchObject({
      failures: 1,
      finishedAt: null,
      error: expect.stringContaining('Not yet.'),
    });
    await clock.advanceBy(minute + second);
    expect(await stepOf('charge')).toMatchObject({ failures: 2, until: tries[1]!.at + hour });
    await clock.advanceBy(hour + second);
    expect(await outcomes()).toEqual(['snoozed', 'snoozed', 'succeeded']);
    expect(await resultOf()).toBe('charged');
    expect(tries.map(({ retry }) => retry)).toEqual([0, 1, 2]);
    expect(gaps().map((ms) => Math.floor(ms / minute))).toEqual([1, 60]);
    expect(await stepOf('charge')).toMatchObject({ failures: 2, error: null, until: null });
  });

  test('waits for a short delay where it is', async () => {
    await play(({ step }) => step('charge', failing(2), { maxRetries: 2, backoff: second }));
    expect(rig.engine.status().running).toBe(1);
    await clock.advanceBy(2 * second);
    expect(await outcomes()).toEqual(['succeeded']);
    expect(gaps()).toEqual([second, second]);
  });

  test('throws its last error when they are used up, and the retry of the run has them all again', async () => {
    await play(({ step }) => step('charge', failing(5), { maxRetries: 2, backoff: 0 }), {
      maxRetries: 3,
      backoff: { type: 'fixed', delayMs: minute },
    });
    expect(tries.map(({ retry }) => retry)).toEqual([0, 1, 2]);
    expect(await stepOf('charge')).toMatchObject({ failures: 0, until: null, finishedAt: null });
    await clock.advanceBy(2 * minute);
    expect(tries.map(({ retry }) => retry)).toEqual([0, 1, 2, 0, 1, 2]);
    expect(await outcomes()).toEqual(['failed', 'succeeded']);
    expect(String(errors[0])).toContain('Not yet.');
  });

  test('keeps its count when the process dies', async () => {
    const handler = ({ step }: RunContext): Promise<unknown> =>
      step('charge', failing(2), { maxRetries: 2, backoff: 0 });
    await play(({ step }) =>
      step(
        'charge',
        (given): unknown => {
          if (given.retry === 0) return failing(1)(given);
          tries.push({ at: clock.now(), retry: given.retry });
          return later(hour);
        },
        { maxRetries: 2, backoff: 0 },
      ),
    );
    expect(tries.map(({ retry }) => retry)).toEqual([0, 1]);
    faulty.goDown();
    const heir = new EngineRig({ clock, storage });
    heir.handle('work', handler);
    await heir.engine.start();
    await clock.advanceBy(minute);
    expect(tries.map(({ retry }) => retry)).toEqual([0, 1, 1]);
    expect(await outcomes()).toEqual(['lost', 'succeeded']);
    faulty.comeUp();
    await clock.advanceBy(hour);
    await heir.stop(minute);
  });

  test('is not tried before its time by an attempt that comes for another reason', async () => {
    let slept = 0;
    await play(({ step, sleep }) =>
      Promise.all([
        step('charge', failing(1), { maxRetries: 1, backoff: '2h' }),
        sleep('1h').then(() => slept++),
      ]),
    );
    await clock.advanceBy(hour + second);
    expect([tries.length, slept]).toEqual([1, 1]);
    await clock.advanceBy(hour + second);
    expect(tries).toHaveLength(2);
    expect(await outcomes()).toEqual(['snoozed', 'snoozed', 'succeeded']);
  });

  test('that nobody has waited for is done before the run has its verdict', async () => {
    await play(({ step }) => {
      void step('charge', failing(1), { maxRetries: 1, backoff: '1m' });
      return 'returned';
    });
    expect(await outcomes()).toEqual(['snoozed']);
    await clock.advanceBy(2 * minute);
    expect(tries).toHaveLength(2);
    expect(await outcomes()).toEqual(['snoozed', 'succeeded']);
  });

  test.each([
    ['one that says so', () => new UnrecoverableError('No.'), {}],
    [
      'one that retryIf does not want',
      () => new TypeError('No.'),
      { retryIf: (e: unknown) => !(e instanceof TypeError) },
    ],
    ['a changed order', () => new DurableStepMismatchError('1', 'a', 1, 'b'), {}],
    ['wrong use', () => new InvalidOptionError('a', 'b'), {}],
  ])('is not tried again after an error in vain: %s', async (_, error, options) => {
    await play(({ step }) => step('charge', failing(1, error), { maxRetries: 5, backoff: 0, ...options }));
    expect(tries).toHaveLength(1);
    expect(await outcomes()).toEqual(['failed']);
  });

  test('is not tried again where what it has returned cannot be kept', async () => {
    await play(({ step }) =>
      step('charge', (given) => [BigInt(failing(0)(given).length)], { maxRetries: 5 }),
    );
    expect(tries).toHaveLength(1);
    expect(errors).toEqual([expect.any(StepResultError)]);
  });

  test('follows the delay that an error names', async () => {
    const error = (): Error => new RetryAfterError('1h');
    await play(({ step }) => step('charge', failing(1, error), { maxRetries: 1, backoff: 0 }));
    await clock.advanceBy(hour + second);
    expect(gaps().map((ms) => Math.floor(ms / hour))).toEqual([1]);
  });

  test('fails with what is wrong about its retryIf', async () => {
    const retryIf = (() => 'yes') as never;
    await play(({ step }) => step('charge', failing(1), { maxRetries: 1, backoff: 0, retryIf }));
    expect(errors).toEqual([expect.any(InvalidOptionError)]);
    expect(String(errors[0])).toContain('retryIf');
    expect(tries).toHaveLength(1);
  });

  test('ends by its signal when its time is over, and is tried again', async () => {
    const reasons: unknown[] = [];
    await play(({ step }) =>
      step(
        'charge',
        ({ signal, retry }) => {
          if (retry === 1) return 'charged';
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason);
              reject(new Error('Stopped.'));
            });
          });
        },
        { maxRetries: 1, backoff: 0, timeout: '5s' },
      ),
    );
    await clock.advanceBy(5 * second);
    expect(reasons).toEqual([expect.any(StepTimeoutError)]);
    expect(await resultOf()).toBe('charged');
  });

  test('that goes on after its time and the grace time is not waited for', async () => {
    await play(({ step }) => step('charge', () => later(hour).then(() => 'late'), { timeout: '5s' }));
    await clock.advanceBy(5 * second + 999);
    expect(await outcomes()).toEqual([]);
    await clock.advanceBy(1);
    expect(await outcomes()).toEqual(['failed']);
    expect(errors).toMatchObject([{ code: 'CHRONIS_STEP_TIMEOUT', step: 'charge', timeoutMs: 5 * second }]);
    await clock.advanceBy(hour);
    expect(await stepOf('charge')).toBeUndefined();
  });

  test('that ends within the grace time has ended', async () => {
    await play(({ step }) => step('charge', () => later(5_500).then(() => 'just'), { timeout: '5s' }));
    await clock.advanceBy(6 * second);
    expect(await resultOf()).toBe('just');
  });

  test('is not tried again in an attempt that is to stop', async () => {
    await play(
      ({ step, signal }) =>
        step(
          'charge',
          (given) => {
            tries.push({ at: clock.now(), retry: given.retry });
            return new Promise((_, reject) =>
              signal.addEventListener('abort', () => reject(new Error('Stopped.'))),
            );
          },
          { maxRetries: 5, backoff: 0 },
        ),
      { timeoutMs: minute },
    );
    await clock.advanceBy(2 * minute);
    expect(tries).toHaveLength(1);
    expect(await outcomes()).toEqual(['timed_out']);
  });

  test.each<[string, DurableStepOptions, unknown]>([
    ['a fraction of retries', { maxRetries: 1.5 }, InvalidOptionError],
    [
      'a backoff of no kind',
      { maxRetries: 1, backoff: { type: 'expo', delay: 1 } as never },
      InvalidOptionError,
    ],
    ['a function for a backoff', { maxRetries: 1, backoff: (() => 1) as never }, InvalidOptionError],
    ['a backoff and no retries', { backoff: '1m' }, InvalidOptionError],
    ['a retryIf that is no function', { maxRetries: 1, retryIf: true as never }, InvalidOptionError],
    ['no time', { timeout: '0s' }, InvalidScheduleError],
    ['another option', { retries: 1 } as never, InvalidOptionError],
    ['no options', null as never, InvalidOptionError],
  ])('is refused with %s', async (_, options, type) => {
    await play(({ step }) => step('charge', failing(0), options));
    expect(errors).toEqual([expect.any(type)]);
    expect(tries).toEqual([]);
  });

  test('is refused within another step, which could not wait for it', async () => {
    await play(({ step }) => step('outer', () => step('inner', failing(0), { maxRetries: 1 })));
    expect(errors).toEqual([expect.any(InvalidOptionError)]);
  });
});
