import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, InvalidScheduleError } from '../../lib/index.js';
import { NestApp } from '../support/nest.app.js';

describe('failures by kind', () => {
  let app: NestApp;
  let error: () => unknown;

  beforeEach(async () => {
    app = await NestApp.boot();
    error = () => new Error('The service is down.');
    const handler = (): void => {
      throw error();
    };
    app.scheduler.registerHandler('call', handler);
    app.scheduler.registerHandler('other', handler);
  });
  afterEach(() => app.close());

  const fail = async (id: string, handler = 'call', options: object = {}): Promise<void> => {
    await app.scheduler.createDateJob({ id, handler, runAt: new Date(app.clock.now()), ...options });
    await app.settle();
  };
  const now = (): Date => new Date(app.clock.now());
  const groups = async (query: Parameters<typeof app.scheduler.getFailures>[0] = {}) =>
    (await app.scheduler.getFailures(query)).items;

  test('are what errors have in common, whatever their messages say', async () => {
    let nth = 0;
    error = () => new TypeError(`order ${++nth} has no "field${nth}"`);
    await fail('a');
    await app.clock.advanceBy(60_000);
    await fail('b');
    error = () => Object.assign(new TypeError('no'), { code: 'ECONNREFUSED' });
    await fail('c', 'other');
    const [newest, first, ...none] = await groups();
    expect(none).toEqual([]);
    expect(newest).toMatchObject({ handler: 'other', attempts: 1, sample: { jobId: 'c' } });
    expect(first).toMatchObject({
      ...{ handler: 'call', attempts: 2, runs: 2, gaveUp: 2 },
      sample: { jobId: 'b', outcome: 'failed', error: expect.stringContaining('order 2') as string },
    });
    expect(first!.lastAt.getTime() - first!.firstAt.getTime()).toBe(60_000);
    const { items } = await app.scheduler.getAttempts({ fingerprint: first!.fingerprint });
    expect(items.map(({ jobId }) => jobId)).toEqual(['b', 'a']);
    const dead = (await app.scheduler.getRuns({ fingerprint: newest!.fingerprint })).items;
    expect(dead.map(({ jobId, lastFingerprint }) => [jobId, lastFingerprint])).toEqual([
      ['c', newest!.fingerprint],
    ]);
  });

  test('are those of a day, and what is new since a deploy', async () => {
    await fail('a');
    await app.clock.advanceBy(3_600_000);
    const deploy = now();
    await fail('b');
    await fail('c', 'other');
    expect((await groups({ newSince: deploy })).map(({ sample }) => sample.jobId)).toEqual(['c']);
    expect(await groups({ from: now() })).toHaveLength(2);
    await app.clock.advanceBy(86_400_000);
    expect(await groups()).toEqual([]);
    expect(await groups({ from: deploy, until: now(), handler: ['other'] })).toHaveLength(1);
  });

  test('are retried and discarded by kind', async () => {
    await fail('a');
    await fail('b');
    error = () => new RangeError('something else');
    Object.defineProperty(error, 'name', { value: 'elsewhere' });
    await fail('c');
    const kinds = await groups();
    const [ofC, ofOthers] = kinds.map(({ fingerprint }) => fingerprint) as [string, string];
    expect(await app.scheduler.discardFailed({ fingerprint: ofC })).toEqual({ found: 1, changed: 1 });
    expect(await app.scheduler.retryFailed({ fingerprint: ofOthers }, { dryRun: true })).toEqual({
      found: 2,
      changed: 0,
    });
    expect(await app.scheduler.retryFailed({ fingerprint: [ofOthers] })).toEqual({ found: 2, changed: 2 });
  });

  test('are of the whole error: its causes and parts are kept with it', async () => {
    const parts = Array.from({ length: 12 }, (_, nth) => new Error(`part ${nth + 1}`));
    error = () => new Error('outer', { cause: new AggregateError(parts, 'several') });
    await fail('a');
    const [{ error: text }] = (await app.scheduler.getAttempts()).items as unknown as [{ error: string }];
    expect(text).toContain('  cause: AggregateError: several');
    expect(text).toContain('    10: Error: part 10');
    expect(text).not.toContain('part 11');
    error = () => {
      const deep = Array.from({ length: 9 }).reduce<Error | undefined>(
        (cause, _, nth) => new Error(`${nth} ${'x'.repeat(5_000)}`, { cause }),
        undefined,
      );
      return new AggregateError([deep, deep, ...parts], 'x'.repeat(50_000));
    };
    await fail('b');
    const [{ error: long }] = (await app.scheduler.getAttempts()).items as unknown as [{ error: string }];
    expect(long.length).toBeLessThanOrEqual(16_385);
  });

  test.each([
    [{ fingerprint: 'abc' }, 'fingerprint: must be 16 hex digits'],
    [{ fingerprint: 7 as never }, 'fingerprint: must be 16 hex digits'],
    [{ fingerprint: "' or 1=1 --" }, 'fingerprint: must be 16 hex digits'],
  ])('by a fingerprint that is none are refused: %o', async (query, message) => {
    await expect(app.scheduler.getAttempts(query)).rejects.toThrow(message);
    await expect(app.scheduler.retryFailed(query)).rejects.toThrow(message);
  });

  test('of a time that is none are refused', async () => {
    await expect(groups({ from: 'soon' })).rejects.toThrow(InvalidScheduleError);
    await expect(groups({ from: 2_000, until: 1_000 })).rejects.toThrow('until: must be after "from"');
    await expect(groups({ limit: 0 })).rejects.toThrow(InvalidOptionError);
    await expect(groups({ handler: '' })).rejects.toThrow('handler');
  });
});
