import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import {
  DurableStepMismatchError,
  InvalidOptionError,
  InvalidPayloadError,
  InvalidScheduleError,
  RunHasVerdictError,
  RunNotFoundError,
  SignalTimeoutError,
  TooManySignalsError,
} from '../../lib/model/errors.js';
import type { Run } from '../../lib/model/run.js';
import { NestApp } from '../support/nest.app.js';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('a signal', () => {
  let app: NestApp;
  let apps: NestApp[];
  let got: unknown[];

  beforeEach(async () => {
    app = await NestApp.boot();
    apps = [app];
    got = [];
  });

  afterEach(async () => {
    for (const each of apps) await each.close();
  });

  /** A run of this handler, whose errors are noted. */
  async function begun(
    handler: (context: RunContext) => Promise<unknown>,
    options: object = {},
  ): Promise<Run> {
    app.scheduler.registerHandler('order', async (context: RunContext) => {
      try {
        return await handler(context);
      } catch (error) {
        got.push(error);
        throw error;
      }
    });
    await app.scheduler.schedule('order', { id: 'order-7', in: 0, ...options });
    await app.settle();
    return (await app.scheduler.getRuns({ jobId: 'order-7' })).items[0]!;
  }

  const outcomes = async (): Promise<string[]> =>
    (await app.scheduler.getAttempts()).items.map(({ outcome }) => outcome).toReversed();
  const resultOf = async (): Promise<unknown> => (await app.scheduler.getAttempts()).items[0]!.result;

  test('is waited for without a place of a worker, and wakes the run at once, from any process', async () => {
    const { id } = await begun(({ waitFor }) => waitFor('approved'));
    expect(app.heard('run.snoozed')).toMatchObject([{ runId: id, until: null }]);
    expect((await app.scheduler.getRuns({ runId: id })).items).toMatchObject([
      { state: 'waiting', dueAt: null },
    ]);
    await app.clock.advanceBy(day);
    expect(await outcomes()).toEqual(['snoozed']);
    const { storage, clock } = app;
    const other = await NestApp.boot({ storage, clock, chronis: { autoStart: false } });
    apps.push(other);
    await other.scheduler.signal(id, 'approved', { by: 'boss', at: new Date(0) });
    await app.settle();
    expect(await outcomes()).toEqual(['snoozed', 'succeeded']);
    expect(await resultOf()).toEqual({ by: 'boss', at: '1970-01-01T00:00:00.000Z' });
  });

  test('that comes before the handler waits is kept for it', async () => {
    const { id } = await begun(async ({ sleep, waitFor }) => {
      await sleep('1h');
      return [await waitFor('a'), await waitFor('a'), await waitFor('b')];
    });
    await app.scheduler.signal(id, 'b', 'b');
    await app.scheduler.signal(id, 'a', 1);
    await app.scheduler.signal(id, 'a');
    expect(await outcomes()).toEqual(['snoozed']);
    await app.clock.advanceBy(hour + second);
    expect(await outcomes()).toEqual(['snoozed', 'succeeded']);
    expect(await resultOf()).toEqual([1, null, 'b']);
  });

  test('is on record, so that the attempts after a failure have it again', async () => {
    let isBroken = true;
    const { id } = await begun(
      async ({ waitFor }) => {
        got.push(await waitFor('a'));
        if (isBroken) throw new Error('Broken.');
      },
      { maxRetries: 1, backoff: minute },
    );
    await app.scheduler.signal(id, 'a', 'first');
    await app.scheduler.signal(id, 'a', 'second');
    await app.settle();
    isBroken = false;
    await app.clock.advanceBy(2 * minute);
    expect(await outcomes()).toEqual(['snoozed', 'failed', 'succeeded']);
    expect(got.filter((each) => typeof each === 'string')).toEqual(['first', 'first']);
  });

  test('goes to the retry of a run that gave up, taken or not', async () => {
    let isBroken = true;
    const { id } = await begun(async ({ waitFor }) => {
      const first = await waitFor('a');
      if (isBroken) throw new Error('Broken.');
      return [first, await waitFor('a')];
    });
    await app.scheduler.signal(id, 'a', 'first');
    await app.scheduler.signal(id, 'a', 'second');
    await app.settle();
    expect(await outcomes()).toEqual(['snoozed', 'failed']);
    isBroken = false;
    await app.scheduler.retryRun(id);
    await app.settle();
    expect(await resultOf()).toEqual(['first', 'second']);
  });

  test('is waited for until a time, and rejects in each attempt when that is over', async () => {
    const { id } = await begun(
      async ({ waitFor, attempt, step }) => {
        const error = await waitFor('approved', { timeout: '2d' }).catch((thrown: unknown) => thrown);
        got.push(error);
        if (attempt === 1) throw new Error('Again.');
        return step('late', () => (error as Error).name);
      },
      { maxRetries: 1, backoff: minute },
    );
    await app.clock.advanceBy(2 * day - minute);
    expect(await outcomes()).toEqual(['snoozed']);
    await app.clock.advanceBy(minute + second);
    await app.scheduler.signal(id, 'approved', 'too late');
    await app.clock.advanceBy(2 * minute);
    expect(await outcomes()).toEqual(['snoozed', 'failed', 'succeeded']);
    const thrown = got.filter((each) => each instanceof SignalTimeoutError);
    expect(thrown).toHaveLength(2);
    expect(thrown[0]).toMatchObject({ runId: id, signal: 'approved' });
    expect(String(thrown[0])).toContain('"approved"');
  });

  test('that comes in time is taken by a process that wakes too late', async () => {
    const { id } = await begun(({ waitFor }) => waitFor('approved', { timeout: '1h' }));
    await app.close();
    apps = [];
    const { clock } = app;
    const storage = app.storage.open();
    await clock.advanceBy(30 * minute);
    await storage.sendRunSignal(id, { name: 'approved', payload: 'in time' });
    await clock.advanceBy(day);
    app = await NestApp.boot({ storage, clock });
    apps = [app];
    app.scheduler.registerHandler('order', ({ waitFor }: RunContext) =>
      waitFor('approved', { timeout: '1h' }),
    );
    await app.clock.advanceBy(minute);
    expect(await resultOf()).toBe('in time');
  });

  test('of one name goes to the waits in the order in which they came, however fast the storage is with each', async () => {
    const { storage, clock } = app;
    const take = storage.takeRunSignal.bind(storage);
    let delay = 500;
    storage.takeRunSignal = async (...args) => {
      await new Promise<void>((resolve) => void clock.setTimer((delay -= 50), resolve));
      return take(...args);
    };
    const { id } = await begun(({ waitFor }) =>
      Promise.all(['w0', 'w1', 'w2'].map((as) => waitFor('next', { as }))),
    );
    for (const payload of [1, 2, 3]) {
      await clock.advanceBy(2_000);
      await app.scheduler.signal(id, 'next', payload);
    }
    await clock.advanceBy(2_000);
    await app.settle();
    expect(await resultOf()).toEqual([1, 2, 3]);
  });

  test('that comes between the looks of two waits goes to the one that came first', async () => {
    const { storage } = app;
    const take = storage.takeRunSignal.bind(storage);
    let runId = '';
    let next = 1;
    const sendNext = () => app.scheduler.signal(runId, 'next', next++);
    storage.takeRunSignal = async (hold, wait) => {
      const step = await take(hold, wait);
      if (runId !== '' && wait.name === 'w0' && step?.finishedAt === null) await sendNext();
      return step;
    };
    app.scheduler.registerHandler('between', async (context: RunContext) => {
      ({ runId } = context);
      return Promise.all(['w0', 'w1', 'w2'].map((as) => context.waitFor('next', { as })));
    });
    await app.scheduler.schedule('between', { in: 0 });
    await app.settle();
    while (next <= 3) {
      await sendNext();
      await app.settle();
    }
    expect(await resultOf()).toEqual([1, 2, 3]);
  });

  test('goes to the wait that stood when it came, not to one that the same attempt comes to after it', async () => {
    const { id } = await begun(async ({ runId, waitFor, step }) => {
      const manager = waitFor('approved', { as: 'manager' });
      await step('prepare', () => app.scheduler.signal(runId, 'approved', 'first'));
      const board = waitFor('approved', { as: 'board' });
      return { manager: await manager, board: await board };
    });
    await app.settle();
    await app.scheduler.signal(id, 'approved', 'second');
    await app.settle();
    expect(await resultOf()).toEqual({ manager: 'first', board: 'second' });
  });

  test('decides a race for ever, whatever comes afterwards', async () => {
    const { id } = await begun(async ({ waitFor, sleep, step }) => {
      const won = await Promise.race([
        waitFor('a').then(() => 'a'),
        waitFor('b').then(() => 'b'),
        sleep('2h', { name: 'patience' }).then(() => 'nobody'),
      ]);
      got.push(won);
      await step(`after ${won}`, () => got.push(`after ${won}`));
      await sleep('1d', { name: 'rest' });
      return won;
    });
    await app.scheduler.signal(id, 'b');
    await app.settle();
    expect(got).toEqual(['b', 'after b']);
    await app.scheduler.signal(id, 'a');
    await app.settle();
    await app.clock.advanceBy(3 * hour);
    await app.clock.advanceBy(day);
    expect(await resultOf()).toBe('b');
    expect(new Set(got)).toEqual(new Set(['b', 'after b']));
    expect(got.filter((each) => each === 'after b')).toHaveLength(1);
  });

  test('is waited for beside steps and sleeps, which go on', async () => {
    const { id } = await begun(({ waitFor, step, sleep }) =>
      Promise.all([
        waitFor('a'),
        step('step', () => 'done'),
        sleep('1h').then(() => 'rested'),
        waitFor('b', { as: 'the other' }),
      ]),
    );
    await app.clock.advanceBy(hour + second);
    await app.scheduler.signal(id, 'b', 'B');
    await app.settle();
    await app.scheduler.signal(id, 'a', 'A');
    await app.settle();
    expect(await resultOf()).toEqual(['A', 'done', 'rested', 'B']);
  });

  test('that is sent while the attempt that waits goes on is not lost', async () => {
    const { id } = await begun(async ({ runId, waitFor, step }) => {
      const [payload] = await Promise.all([
        waitFor('a'),
        step('send', async () => {
          await new Promise<void>((resolve) => void app.clock.setTimer(second, resolve));
          await app.scheduler.signal(runId, 'a', 'from within');
        }),
      ]);
      return payload;
    });
    await app.clock.advanceBy(2 * second);
    expect(await outcomes()).toEqual(['snoozed', 'succeeded']);
    expect(await resultOf()).toBe('from within');
    expect(id).toBeTruthy();
  });

  test('is kept until the storage can be reached, and given once', async () => {
    const { id } = await begun(async ({ waitFor }) => [await waitFor('a'), await waitFor('a')]);
    await app.scheduler.signal(id, 'a', 1);
    await app.settle();
    await app.scheduler.signal(id, 'a', 2);
    await app.settle();
    expect(await resultOf()).toEqual([1, 2]);
  });

  test('shows what a run waits for', async () => {
    const { id } = await begun(async ({ step, waitFor, sleep }) => {
      await step('first', () => 7);
      await waitFor('a', { timeout: '1h' }).catch(() => null);
      await waitFor('b', { as: 'the second' });
      await sleep('1d');
    });
    const at = app.clock.now();
    const first = {
      name: 'first',
      kind: 'step',
      state: 'ended',
      position: 1,
      attempt: 1,
      waitsFor: null,
      result: 7,
    };
    const until = new Date(at + hour);
    expect(await app.scheduler.getRunSteps(id)).toMatchObject([
      { ...first, failures: 0, error: null, finishedAt: expect.any(Date), startedAt: expect.any(Date) },
      {
        name: 'wait for "a" 1',
        kind: 'signal',
        state: 'waiting',
        position: 2,
        waitsFor: { until, signal: 'a' },
      },
    ]);
    await app.clock.advanceBy(hour + second);
    await app.scheduler.signal(id, 'b');
    await app.settle();
    expect(await app.scheduler.getRunSteps(id)).toMatchObject([
      first,
      { name: 'wait for "a" 1', state: 'timed_out', waitsFor: null, finishedAt: expect.any(Date) },
      { name: 'the second', kind: 'signal', state: 'ended', position: 3 },
      { name: 'sleep 1', kind: 'sleep', state: 'sleeping', position: 4, waitsFor: { signal: null } },
    ]);
    expect(await app.scheduler.getRunSteps('987')).toEqual([]);
    await app.clock.advanceBy(day);
    expect((await app.scheduler.getRunSteps(id)).map(({ state }) => state)).toEqual([
      'ended',
      'timed_out',
      'ended',
      'ended',
    ]);
  });

  test('is refused by a run that has its verdict, is none, or has too many', async () => {
    const { id } = await begun(({ waitFor }) => waitFor('a'));
    await expect(app.scheduler.signal('987', 'a')).rejects.toThrow(RunNotFoundError);
    for (let nth = 0; nth < 1_000; nth++) await app.storage.sendRunSignal(id, { name: 'b', payload: nth });
    const full: unknown = await app.scheduler.signal(id, 'b').catch((error: unknown) => error);
    expect(full).toBeInstanceOf(TooManySignalsError);
    expect(full).toMatchObject({ runId: id, signal: 'b', limit: 1_000 });
    await app.scheduler.cancelRun(id);
    await expect(app.scheduler.signal(id, 'a')).rejects.toThrow(RunHasVerdictError);
  });

  test.each([
    ['no run', ['', 'a'], InvalidOptionError],
    ['no name', ['1', ' '], InvalidOptionError],
    ['a name of two lines', ['1', 'a\nb'], InvalidOptionError],
    ['a name that is too long', ['1', 'a'.repeat(256)], InvalidOptionError],
    ['a payload that is no JSON', ['1', 'a', () => 1], InvalidPayloadError],
    ['a payload that is too large', ['1', 'a', 'x'.repeat(1_100_000)], InvalidPayloadError],
    ['another option', ['1', 'a', null, { wait: 1 }], InvalidOptionError],
  ])('is refused with %s', async (_, given, type) => {
    await expect(app.scheduler.signal(...(given as [string, string]))).rejects.toThrow(type);
  });

  test.each([
    ['no name', (context: RunContext) => context.waitFor(''), InvalidOptionError],
    [
      'no duration',
      (context: RunContext) => context.waitFor('a', { timeout: 'never' }),
      InvalidScheduleError,
    ],
    ['no text for a name', (context: RunContext) => context.waitFor('a', { as: '' }), InvalidOptionError],
    ['a numbered name', (context: RunContext) => context.waitFor('a', { as: 'sleep 1' }), InvalidOptionError],
    [
      'another option',
      (context: RunContext) => context.waitFor('a', { name: 'b' } as never),
      InvalidOptionError,
    ],
    [
      'two at the same time without names',
      (context: RunContext) => Promise.all([context.waitFor('a'), context.waitFor('a')]),
      InvalidOptionError,
    ],
    [
      'a step around it',
      (context: RunContext) => context.step('s', () => context.waitFor('a')),
      InvalidOptionError,
    ],
  ])('is not waited for with %s', async (_, wait, type) => {
    await begun(async (context) => wait(context));
    expect(got[0]).toBeInstanceOf(type);
    expect(await outcomes()).toEqual(['failed']);
  });

  test.each([
    ['a step', (context: RunContext) => context.step('x', () => 1)],
    ['a sleep', (context: RunContext) => context.sleep('1s', { name: 'x' })],
    ['a wait for another', (context: RunContext) => context.waitFor('b', { as: 'x' })],
  ])('that has been taken is told where the code has %s of that name', async (_, work) => {
    let isFirst = true;
    const { id } = await begun(
      async (context) => {
        if (!isFirst) return work(context);
        await context.waitFor('a', { as: 'x' });
        isFirst = false;
        throw new Error('Again.');
      },
      { maxRetries: 1, backoff: 0 },
    );
    await app.scheduler.signal(id, 'a');
    await app.settle();
    expect(got.at(-1)).toBeInstanceOf(DurableStepMismatchError);
    expect(String(got.at(-1))).toContain('a wait for a');
  });
});
