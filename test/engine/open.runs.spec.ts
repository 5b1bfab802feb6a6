import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import type { ChronisEventMap } from '../../lib/events/event.map.js';
import { OpenDeadlineError, RunSettledError, UnrecoverableError } from '../../lib/model/errors.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { TransactionSource } from '../../lib/memory/memory.transactions.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

const minute = 60_000;

describe('a run that its handler leaves open', () => {
  let rig: EngineRig;
  let contexts: RunContext[];

  beforeEach(() => {
    rig = new EngineRig();
    contexts = [];
  });

  afterEach(() => rig.end());

  const ledger = async () =>
    (await rig.storage.queryAttempts({}, {})).items
      .map(({ attempt, outcome, final }) => [attempt, outcome, final])
      .toReversed();
  const onlyRun = async () => (await rig.storage.queryRuns({}, {})).items[0];

  /** Has the one job executed by this handler. */
  async function play(handler: (context: RunContext) => unknown, policies: object = {}): Promise<void> {
    rig.handle('work', (context: RunContext) => {
      contexts.push(context);
      return handler(context);
    });
    await rig.engine.start();
    await rig.add({ policies });
    await rig.settle();
  }

  test.each([
    ['by what it returns', (context: RunContext) => context.open()],
    ['also where it returns something else', (context: RunContext) => (context.open(), { answer: 42 })],
    ['also later', async (context: RunContext) => (await Promise.resolve(), context.open())],
    ['also where a snooze came before', (context: RunContext) => (context.snooze('1s'), context.open())],
  ])('has no verdict and takes no place: %s', async (_, handler) => {
    const opened: ChronisEventMap['run.opened'][] = [];
    rig.events.on('run.opened', (event) => opened.push(event));
    await play(handler);
    expect(await ledger()).toEqual([[1, 'opened', false]]);
    expect(await onlyRun()).toMatchObject({ state: 'open', dueAt: null, worker: null });
    expect((await rig.storage.queryAttempts({}, {})).items[0]).toMatchObject({ result: null });
    expect(opened).toMatchObject([{ attempt: 1, deadline: null }]);
    expect(rig.engine.status().running).toBe(0);
    await rig.clock.advanceBy(10 * minute);
    expect(contexts).toHaveLength(1);
  });

  test.each([
    ['a duration from its return on', '30m', 30 * minute],
    ['milliseconds', 90_000, 90_000],
    ['a date', 'date', 5 * minute],
  ])('has a deadline: %s', async (_, deadline, ms) => {
    const given = deadline === 'date' ? new Date(rig.clock.now() + ms) : deadline;
    await play((context) => context.open({ deadline: given }));
    expect((await onlyRun())?.dueAt?.getTime()).toBe(rig.clock.now() + ms);
    await rig.clock.advanceBy(ms - 1);
    expect((await onlyRun())?.state).toBe('open');
    await rig.clock.advanceBy(1);
    expect(await ledger()).toEqual([
      [1, 'opened', false],
      [1, 'timed_out', true],
    ]);
    expect(contexts).toHaveLength(1);
  });

  test('times out with its deadline: tells so, keeps its begin, and says why', async () => {
    const told: ChronisEventMap['run.timed_out'][] = [];
    rig.events.on('run.timed_out', (event) => told.push(event));
    const start = rig.clock.now();
    await play((context) => context.open({ deadline: '1m' }));
    await rig.clock.advanceBy(minute);
    expect(told).toMatchObject([{ attempt: 1, durationMs: 60_000, error: expect.any(OpenDeadlineError) }]);
    const [row] = (await rig.storage.queryAttempts({ finalOnly: true }, {})).items;
    expect(row).toMatchObject({ startedAt: new Date(start), error: expect.stringContaining('was open') });
    expect(rig.told.filter((name) => name === 'run.started')).toHaveLength(1);
  });

  test('is executed anew after its deadline where it has retries, by its own rules', async () => {
    const errors: unknown[] = [];
    rig.handlers.register(
      'work',
      (context: RunContext) => (contexts.push(context), context.open({ deadline: '1m' })),
      'test',
      { retryIf: (error) => errors.push(error) < 2 },
    );
    await rig.engine.start();
    await rig.add({ policies: { maxRetries: 5, backoff: { type: 'fixed', delayMs: 1_000 } } });
    await rig.clock.advanceBy(5 * minute);
    expect(contexts.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(errors).toEqual([expect.any(OpenDeadlineError), expect.any(OpenDeadlineError)]);
    expect(await ledger()).toEqual([
      [1, 'opened', false],
      [1, 'timed_out', false],
      [2, 'opened', false],
      [2, 'timed_out', true],
    ]);
  });

  test('is not opened where the handler throws', async () => {
    await play((context) => {
      context.open();
      throw new UnrecoverableError('no');
    });
    expect(await ledger()).toEqual([[1, 'failed', true]]);
  });

  test('is snoozed where that was asked for last', async () => {
    await play((context) => (context.open(), context.snooze('1m')));
    expect(await ledger()).toEqual([[1, 'snoozed', false]]);
  });

  test('is opened after the timeout has fired, and has no timeout from then on', async () => {
    await play(
      async (context) => {
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        context.open({ deadline: '1h' });
      },
      { timeoutMs: 1_000 },
    );
    await rig.clock.advanceBy(10 * minute);
    expect(await ledger()).toEqual([[1, 'opened', false]]);
  });

  test('is opened by a handler that must not run twice, too', async () => {
    await play((context) => context.open({ deadline: '1m' }), { recovery: 'abandon' });
    expect((await onlyRun())?.state).toBe('open');
    await rig.stop();
    expect((await onlyRun())?.state).toBe('open');
    await rig.engine.start();
    await rig.clock.advanceBy(minute);
    expect(await ledger()).toEqual([
      [1, 'opened', false],
      [1, 'timed_out', true],
    ]);
  });

  test('is opened by a handler that ends while its process shuts down', async () => {
    await play(async (context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      context.open();
    });
    await rig.stop(60_000);
    expect(await ledger()).toEqual([[1, 'opened', false]]);
  });

  test.each([
    ['none', { deadline: 'soon' }, { code: 'CHRONIS_INVALID_SCHEDULE' }],
    ['of no length', { deadline: 0 }, { code: 'CHRONIS_INVALID_SCHEDULE' }],
    ['a date that is none', { deadline: new Date(NaN) }, { code: 'CHRONIS_INVALID_SCHEDULE' }],
    ['another option', { until: '2d' }, { code: 'CHRONIS_INVALID_OPTION' }],
  ])('refuses a deadline that is %s', async (_, options, error) => {
    const refused: unknown[] = [];
    await play((context) => {
      try {
        context.open(options as never);
      } catch (thrown) {
        refused.push(thrown);
      }
    });
    expect(refused).toMatchObject([error]);
    expect(await ledger()).toEqual([[1, 'succeeded', true]]);
  });

  test('cannot be opened any more once the attempt has ended', async () => {
    await play(() => 'done');
    expect(() => contexts[0]!.open()).toThrow(RunSettledError);
  });
});

describe('a transaction with the verdict', () => {
  let rig: EngineRig;

  beforeEach(() => {
    const clock = new ManualClock();
    const dataSource: TransactionSource = { transaction: (work) => work({}) };
    rig = new EngineRig({ clock, storage: new MemoryStorage({ clock, dataSource }) });
  });

  afterEach(() => rig.stop(60_000));

  const states = async () => (await rig.storage.queryRuns({}, {})).items.map(({ state }) => state);

  async function play(handler: (context: RunContext) => unknown): Promise<void> {
    rig.handle('work', handler);
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
  }

  test('leaves the run open by its commit', async () => {
    let inside: unknown[] = [];
    await play(async (context) => {
      await context.transaction(() => context.open({ deadline: '1h' }));
      inside = await states();
    });
    expect(inside).toEqual(['open']);
    expect(await states()).toEqual(['open']);
    expect(rig.told).toContain('run.opened');
    expect(rig.told).not.toContain('run.stale');
  });

  test('that is rolled back leaves the run as it was', async () => {
    await play(async (context) => {
      await expect(
        context.transaction(() => {
          context.open();
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      return 'done';
    });
    expect((await rig.storage.queryAttempts({}, {})).items).toMatchObject([
      { outcome: 'succeeded', result: 'done' },
    ]);
  });

  test('that has committed the verdict keeps the run from being opened', async () => {
    let refused: unknown = null;
    await play(async (context) => {
      await context.transaction(() => 'paid');
      try {
        context.open();
      } catch (error) {
        refused = error;
      }
    });
    expect(refused).toBeInstanceOf(RunSettledError);
    expect((await rig.storage.queryAttempts({}, {})).items).toMatchObject([{ result: 'paid' }]);
  });
});
