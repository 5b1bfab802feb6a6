import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunContext } from '../../lib/engine/run.context.js';
import { RunAbortedError } from '../../lib/model/errors.js';
import { EngineRig } from '../support/engine.js';

describe('what a handler is given', () => {
  let rig: EngineRig;

  beforeEach(async () => {
    rig = new EngineRig({ options: { abortGraceMs: 1_000 } });
    await rig.engine.start();
  });

  afterEach(() => rig.end());

  const ledger = async () => (await rig.storage.queryAttempts({}, {})).items;

  test('has all its fields as its own, so that it can be spread', async () => {
    let seen: RunContext | null = null;
    rig.handle('work', (context: RunContext) => {
      seen = { ...context };
      expect(seen.signal).toBe(context.signal);
    });
    await rig.add({ id: 'one', payload: { order: 7 } });
    await rig.settle();
    expect((await ledger())[0]).toMatchObject({ outcome: 'succeeded', error: null });
    expect(Object.keys(seen!).toSorted()).toEqual([
      ...['attempt', 'job', 'log', 'logger', 'missed', 'nominalAt', 'open', 'origin'],
      ...['payload', 'runId', 'signal', 'snooze', 'traceParent', 'transaction'],
    ]);
    expect(seen!.signal).toBeInstanceOf(AbortSignal);
    expect(seen!.job).toMatchObject({ id: 'one', handler: 'work' });
    expect(seen!.payload).toEqual({ order: 7 });
  });

  test('works when it was spread', async () => {
    rig.handle('work', (context: RunContext) => {
      const parts = { ...context };
      parts.snooze(60_000 * parts.attempt);
    });
    await rig.add({});
    await rig.settle();
    expect((await ledger()).map(({ outcome }) => outcome)).toEqual(['snoozed']);
  });

  test('has one signal, also in a context that was spread before the abort', async () => {
    const heard: unknown[] = [];
    rig.handle('work', async (context: RunContext) => {
      const copy = { ...context };
      await new Promise<void>((resolve) => copy.signal.addEventListener('abort', () => resolve()));
      heard.push(copy.signal === context.signal, context.signal.reason);
    });
    await rig.add({ policies: { timeoutMs: 500 } });
    await rig.settle();
    await rig.clock.advanceBy(500);
    expect(heard).toEqual([true, expect.any(RunAbortedError)]);
  });

  test('has a signal that has fired already where it is first looked at after the abort', async () => {
    let goOn = (): void => undefined;
    let signal: AbortSignal | null = null;
    rig.handle('work', async (context: RunContext) => {
      await new Promise<void>((resolve) => (goOn = resolve));
      ({ signal } = context);
      signal.throwIfAborted();
    });
    await rig.add({ policies: { timeoutMs: 500 } });
    await rig.settle();
    await rig.clock.advanceBy(500);
    goOn();
    await rig.settle();
    expect(signal!.aborted).toBe(true);
    expect(signal!.reason).toMatchObject({ abortCause: 'timeout' });
    expect((await ledger())[0]).toMatchObject({ outcome: 'timed_out' });
  });

  test('a handler that returns at once leaves no timer behind', async () => {
    rig.handle('work', () => ({ done: true }));
    rig.handle('plain', () => 7);
    await rig.settle();
    const before = rig.clock.pending;
    await rig.add({ policies: { timeoutMs: 500 } }, { handler: 'plain', policies: { timeoutMs: 500 } });
    await rig.settle();
    // The look for a sleep of the machine, which begins with a run and ends soon after it.
    await rig.clock.advanceBy(1_000);
    expect(rig.clock.pending).toBe(before);
    expect((await ledger()).map(({ result }) => result)).toEqual(expect.arrayContaining([{ done: true }, 7]));
  });

  test('a handler may return anything that has a then', async () => {
    const resolved = (resolve: (value: unknown) => void): void => resolve('found');
    const query = new Proxy({}, { get: (_, key) => (key === 'then' ? resolved : undefined) });
    const broken = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no result');
        },
      },
    );
    rig.handle('work', () => query).handle('broken', () => broken);
    await rig.add({}, { handler: 'broken' });
    await rig.settle();
    const rows = await ledger();
    expect(rows.find(({ handler }) => handler === 'work')).toMatchObject({ result: 'found' });
    expect(rows.find(({ handler }) => handler === 'broken')).toMatchObject({ outcome: 'failed' });
  });
});
