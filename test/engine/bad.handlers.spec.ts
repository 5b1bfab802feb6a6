import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logSentences } from '../../lib/events/log.sentences.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { EngineRig } from '../support/engine.js';

describe('a handler that misbehaves', () => {
  let rig: EngineRig;
  let logged: string;

  beforeEach(() => {
    rig = new EngineRig();
    logged = '';
    rig.events.on('run.failed', (event) => {
      const { text, stack } = logSentences['run.failed']!(event)!;
      logged += `${text}\n${stack ?? ''}`;
    });
  });

  afterEach(async () => {
    await rig.stop(60_000);
    expect(rig.clock.pending).toBe(0);
  });

  async function outcomeOf(handler: (context: RunContext) => unknown, policies: object = {}) {
    rig.handle('work', handler);
    await rig.engine.start();
    await rig.add({ policies });
    await rig.clock.advanceBy(30_000);
    const [row] = (await rig.storage.queryAttempts({}, {})).items;
    return row!;
  }

  test('throws an error of 10 MB: a bounded part of it is kept and logged', async () => {
    const row = await outcomeOf(() => {
      throw new Error('x'.repeat(10_000_000));
    });
    expect(row).toMatchObject({ outcome: 'failed', final: true });
    expect(row.error).toMatch(/^Error: x+…$/);
    expect(row.error).toHaveLength(16_385);
    expect(logged.length).toBeLessThan(10_000);
    expect(logged).toContain('failed after 0 ms: xxx');
  });

  test.each([
    ['undefined', undefined, 'Error: The handler threw undefined.'],
    ['null', null, 'Error: The handler threw null.'],
    ['a text', 'no route', 'no route'],
    ['a number', 0, '0'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
  ])('throws %s: the run has failed with a text', async (_, thrown, text) => {
    const row = await outcomeOf(() => {
      throw thrown;
    });
    expect(row.outcome).toBe('failed');
    expect(row.error?.split('\n')[0]).toBe(text);
    expect(logged).not.toBe('');
  });

  test.each([
    [
      'a circular object',
      () => {
        const circular: { self?: object } = {};
        return (circular.self = circular);
      },
    ],
    ['a bigint', () => 1n],
    ['what throws when it is turned into JSON', () => ({ toJSON: () => JSON.parse('{') })],
    ['a text of 10 MB', () => 'x'.repeat(10_000_000)],
  ])('returns %s: it has succeeded, and the attempt says why there is no result', async (_, handler) => {
    const row = await outcomeOf(handler);
    expect(row).toMatchObject({ outcome: 'succeeded', result: null });
    expect(row.error).toMatch(/^The result was not kept: /);
    expect(rig.told.filter((name) => name === 'run.result-dropped')).toHaveLength(1);
  });

  test('returns a function: it has succeeded, without a result', async () => {
    expect(await outcomeOf(() => () => 1)).toMatchObject({ outcome: 'succeeded', result: null, error: null });
    expect(rig.told).not.toContain('run.result-dropped');
  });

  test('never settles: it times out, and the worker is free again', async () => {
    rig = new EngineRig({ options: { concurrency: 1 } });
    const row = await outcomeOf(() => new Promise(() => undefined), { timeoutMs: 1_000 });
    expect(row).toMatchObject({
      outcome: 'timed_out',
      final: true,
      error: expect.stringContaining('The run took longer than its timeout allows.'),
    });
    let ran = false;
    rig.handle('next', () => (ran = true));
    await rig.add({ handler: 'next' });
    await rig.clock.advanceBy(1_000);
    expect(ran).toBe(true);
  });
});
