import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import {
  ClaimLostError,
  DurableStepMismatchError,
  InvalidOptionError,
  StepResultError,
  TransactionNotSupportedError,
} from '../../lib/model/errors.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';
import { FaultyStorage } from '../support/faulty.storage.js';
import { Gate } from '../support/real.app.js';

const second = 1_000;
const minute = 60 * second;

describe('a durable step that is a transaction', () => {
  let clock: ManualClock;
  let storage: MemoryStorage;
  let rig: EngineRig;
  let rows: string[];
  let errors: unknown[];

  /** Stands in for a database: rows are there when the work has resolved. */
  const dataSource = {
    async transaction<T>(work: (manager: { insert(row: string): void }) => Promise<T>): Promise<T> {
      const inserted: string[] = [];
      const value = await work({ insert: (row) => void inserted.push(row) });
      rows.push(...inserted);
      return value;
    },
  };

  beforeEach(() => {
    clock = new ManualClock();
    storage = new MemoryStorage({ clock, dataSource });
    rig = new EngineRig({ clock, storage, options: { leaseMs: 10 * second, abortGraceMs: 5 * second } });
    rows = [];
    errors = [];
  });

  afterEach(async () => {
    if (rig.engine.running) await rig.stop(minute);
    expect(clock.pending).toBe(0);
  });

  async function play(
    handler: (context: RunContext) => Promise<unknown>,
    policies: object = {},
  ): Promise<void> {
    rig.handle('work', (context: RunContext) =>
      handler(context).catch((error: unknown) => {
        errors.push(error);
        throw error;
      }),
    );
    await rig.engine.start();
    await rig.add({ policies });
    await rig.settle();
  }

  const retried = { maxRetries: 3, backoff: { type: 'fixed', delayMs: second } };
  const inserting =
    <T>(row: string, value?: T) =>
    (manager: unknown): T => {
      (manager as { insert(row: string): void }).insert(row);
      return value as T;
    };
  const outcomes = async () =>
    (await storage.queryAttempts({}, {})).items.map(({ outcome }) => outcome).toReversed();
  const stepsOf = async (runId: string) => (await storage.queryRunSteps(runId)).map(({ name }) => name);

  test('is done once, whatever fails after it, and gives what it gave', async () => {
    const given: unknown[] = [];
    await play(async ({ step, attempt }) => {
      given.push(await step.transaction('invoice', inserting('invoice', { at: new Date(0) })));
      given.push(await step.transaction('nothing', inserting('nothing')));
      if (attempt < 3) throw new Error('Not yet.');
    }, retried);
    await clock.advanceBy(10 * second);
    expect(rows).toEqual(['invoice', 'nothing']);
    const invoice = { at: '1970-01-01T00:00:00.000Z' };
    expect(given).toEqual([invoice, null, invoice, null, invoice, null]);
    expect(await outcomes()).toEqual(['failed', 'failed', 'succeeded']);
  });

  test('has done nothing where it throws, and is done by the retry', async () => {
    let runId = '';
    await play(async ({ step, attempt, ...context }) => {
      ({ runId } = context);
      await step.transaction('invoice', (manager) => {
        inserting('invoice')(manager);
        if (attempt === 1) throw new Error('Try again.');
      });
    }, retried);
    expect([rows, await stepsOf(runId)]).toEqual([[], []]);
    await clock.advanceBy(10 * second);
    expect([rows, await stepsOf(runId)]).toEqual([['invoice'], ['invoice']]);
  });

  test('is rolled back where the run is somebody else’s by its end', async () => {
    const gate = new Gate();
    const faulty = new FaultyStorage(storage);
    rig = new EngineRig({ clock, storage: faulty.storage, options: { leaseMs: 10 * second } });
    let runId = '';
    await play(async (context) => {
      ({ runId } = context);
      await context.step.transaction('invoice', async (manager) => {
        inserting(`invoice of ${context.attempt}`)(manager);
        if (context.attempt === 1) await gate.passed;
      });
    });
    faulty.goDown();
    const heir = new EngineRig({ clock, storage }).handle('work', ({ step, attempt }) =>
      step.transaction('invoice', inserting(`invoice of ${attempt}`)),
    );
    await heir.engine.start();
    await clock.advanceBy(minute);
    expect(rows).toEqual(['invoice of 2']);
    gate.release();
    await clock.advanceBy(0);
    faulty.comeUp();
    await clock.advanceBy(minute);
    expect(rows).toEqual(['invoice of 2']);
    expect(await stepsOf(runId)).toEqual(['invoice']);
    expect(errors).toEqual([expect.any(ClaimLostError)]);
    await heir.stop(minute);
  });

  test('may run beside others, and goes on after an Observable that it returns', async () => {
    const given: unknown[] = [];
    await play(async ({ step }) => {
      const both = [step.transaction('a', inserting('a', 1)), step.transaction('b', inserting('b', 2))];
      given.push(...(await Promise.all(both)));
      given.push(await step.transaction('c', () => of('first', 'last')));
    });
    expect(given).toEqual([1, 2, 'last']);
    expect(rows.toSorted()).toEqual(['a', 'b']);
  });

  test('that nobody waits for is over before the attempt ends', async () => {
    await play(async ({ step }) => void step.transaction('a', inserting('a')));
    expect([rows, await outcomes()]).toEqual([['a'], ['succeeded']]);
  });

  test('is done in another place than before only after it was told', async () => {
    await play(async ({ step, attempt }) => {
      await step.transaction(attempt === 1 ? 'a' : 'b', inserting('a'));
      throw new Error('Again.');
    }, retried);
    await clock.advanceBy(10 * second);
    expect(errors.at(-1)).toBeInstanceOf(DurableStepMismatchError);
    expect(rows).toEqual(['a']);
  });

  test('is rolled back where what it returns cannot be kept', async () => {
    await play(({ step }) => step.transaction('a', inserting('a', 1n as never)), retried);
    await clock.advanceBy(10 * second);
    expect(errors).toEqual([expect.any(StepResultError)]);
    expect(rows).toEqual([]);
  });

  test('begins as it is told to', async () => {
    const begun: string[] = [];
    await play(({ step }) =>
      step.transaction('a', inserting('a'), {
        begin: (run): Promise<void> =>
          dataSource.transaction(async (manager) => {
            begun.push('here');
            await run(null as never, manager);
          }),
      }),
    );
    expect([begun, rows]).toEqual([['here'], ['a']]);
  });

  test('is refused within another transaction, which has done nothing then', async () => {
    await play(async ({ step, transaction }) => {
      const inner = (): Promise<unknown> => step.transaction('inner', inserting('inner'));
      const refused = (work: Promise<unknown>): Promise<unknown> =>
        work.catch((error: unknown) => errors.push((error as Error).message));
      await refused(step.transaction('a', inner));
      await refused(step.transaction('b', () => step('plain', inner)));
      await refused(step.transaction('c', () => transaction(inserting('inner'))));
      await refused(transaction(inner));
    });
    expect(errors).toEqual([
      expect.stringContaining('the transaction of the step "a"'),
      expect.stringContaining('the transaction of the step "b"'),
      expect.stringContaining('the transaction of the step "c"'),
      expect.stringContaining('context.transaction() is under way'),
    ]);
    expect([rows, await outcomes()]).toEqual([[], ['succeeded']]);
  });

  test('cannot sleep', async () => {
    await play(({ step, sleep }) => step.transaction('a', (): Promise<void> => sleep('1m')));
    expect(errors).toEqual([expect.any(InvalidOptionError)]);
    expect(String(errors[0])).toContain('the step "a" sleeps');
  });

  test.each([
    ['no name', 7, (): number => 1, {}, /context\.step\.transaction\(\) takes the name/],
    ['no function', 'a', 'work', {}, /has no function to run: context\.step\.transaction\('a', /],
    ['an option that nobody knows', 'a', () => 1, { datasource: {} }, /dataSource/],
    ['both ways to begin', 'a', () => 1, { dataSource, begin: (): number => 1 }, /not both/],
  ])('is refused with %s', async (_, name, work, options, message) => {
    await play(({ step }) => step.transaction(name as never, work as never, options as never));
    expect(String(errors[0])).toMatch(message);
    expect(rows).toEqual([]);
  });

  test('is refused by a storage that has no transactions', async () => {
    storage = new MemoryStorage({ clock });
    rig = new EngineRig({ clock, storage });
    await play(({ step }) => step.transaction('a', inserting('a')));
    expect(errors).toEqual([expect.any(TransactionNotSupportedError)]);
    // By its own name: the call for the whole run is another one.
    expect(String(errors[0])).toContain('ctx.step.transaction():');
  });
});
