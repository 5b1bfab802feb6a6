import { describe, expect, test } from 'vitest';
import { describeError, judge } from '../../lib/engine/settlement.js';
import type { Ending } from '../../lib/engine/attempt.ending.js';
import type { AbortCause } from '../../lib/model/errors.js';
import { claimedRun } from '../support/claimed-run.js';

const retryable = claimedRun({ policies: { maxRetries: 1, backoff: { type: 'fixed', delayMs: 500 } } });

function outcome(ending: Ending, cause: AbortCause | null = null) {
  const times = { startedAt: 1_000, finishedAt: 1_200 };
  return judge(retryable, ending, cause, times, () => 0)?.settlement ?? null;
}

describe('the outcome of an attempt', () => {
  test('a handler that returns has succeeded, with its result', () => {
    expect(outcome({ kind: 'returned', value: { sent: 3 } })).toMatchObject({
      outcome: 'succeeded',
      result: { sent: 3 },
      retryAt: null,
      error: null,
    });
  });

  test('a result is kept down to 500 levels; a deeper one is left out, and the verdict stands', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    const keyed = (levels: number): unknown =>
      JSON.parse('{"a":'.repeat(levels) + '"]}"' + '}'.repeat(levels));
    expect(outcome({ kind: 'returned', value: nested(500) })?.result).toEqual(nested(500));
    expect(outcome({ kind: 'returned', value: keyed(500) })?.result).toEqual(keyed(500));
    for (const value of [nested(501), keyed(501)]) {
      expect(outcome({ kind: 'returned', value })).toMatchObject({ outcome: 'succeeded', result: null });
    }
    const brackets = '[{'.repeat(2_000);
    expect(outcome({ kind: 'returned', value: brackets })?.result).toBe(brackets);
  });

  test('a result that cannot be kept is left out, and the attempt says why', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const cases: [unknown, RegExp][] = [
      [10n, /BigInt/],
      [cyclic, /circular/],
      ['a\0b', /NUL/],
      ['x'.repeat(70_000), /70002 characters, the most is 65536/],
      [JSON.parse('['.repeat(501) + ']'.repeat(501)), /deeper than 500/],
      [{ toJSON: () => JSON.parse('{') as unknown }, /SyntaxError/],
    ];
    for (const [value, why] of cases) {
      const settled = outcome({ kind: 'returned', value });
      expect(settled).toMatchObject({ outcome: 'succeeded', result: null });
      expect(settled?.error).toMatch(/^The result was not kept: /);
      expect(settled?.error).toMatch(why);
    }
    for (const value of [undefined, null, () => 1, Symbol('s'), { a: 1 }]) {
      expect(outcome({ kind: 'returned', value })?.error).toBeNull();
    }
  });

  test('a handler that returns after its signal has succeeded all the same', () => {
    for (const cause of ['timeout', 'cancel', 'shutdown', 'lease-lost'] as const) {
      expect(outcome({ kind: 'returned', value: undefined }, cause)?.outcome).toBe('succeeded');
    }
  });

  test('a handler that throws has failed and is retried', () => {
    const settled = outcome({ kind: 'threw', error: new Error('no route') });
    expect(settled).toMatchObject({ outcome: 'failed', retryAt: 1_700 });
    expect(settled?.error).toContain('no route');
  });

  test('a handler that throws undefined has failed with a text', () => {
    expect(outcome({ kind: 'threw', error: undefined })?.error).toBe('Error: The handler threw undefined.');
  });

  test.each([
    ['timeout', 'timed_out', 1_700],
    ['cancel', 'cancelled', null],
    ['shutdown', 'handed_back', null],
  ] as const)('after %s a handler that throws or goes on is %s', (cause, expected, retryAt) => {
    for (const ending of [{ kind: 'threw', error: new Error('aborted') }, { kind: 'abandoned' }] as const) {
      expect(outcome(ending, cause)).toMatchObject({ outcome: expected, retryAt });
    }
  });

  test('nothing is written for a failure after the lease was lost', () => {
    expect(outcome({ kind: 'threw', error: new Error('aborted') }, 'lease-lost')).toBeNull();
    expect(outcome({ kind: 'abandoned' }, 'lease-lost')).toBeNull();
  });

  test('a result that is not JSON, too large or holds NUL is not kept', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const value of [circular, 1n, () => 1, 'x'.repeat(70_000), 'a\0b', undefined, Symbol('x')]) {
      expect(outcome({ kind: 'returned', value })).toMatchObject({ outcome: 'succeeded', result: null });
    }
  });

  test('a result is kept that holds the escape of a character as text', () => {
    for (const value of ['C:\\u0000dir', { 'a\\ud800': '\\\\u0000' }, 'caf\u00e9 \u{1F600} \u2028\u0001']) {
      expect(outcome({ kind: 'returned', value })).toMatchObject({ outcome: 'succeeded', result: value });
    }
  });

  test('a result with half of a surrogate pair is not kept: it would be text that cannot be read', () => {
    for (const value of ['a\uD83D', { '\uDE00': 1 }, ['\\\uD83D']]) {
      const judged = outcome({ kind: 'returned', value });
      expect(judged).toMatchObject({ outcome: 'succeeded', result: null });
      expect(judged).toMatchObject({ error: expect.stringContaining('surrogate') });
    }
  });
});

describe('the text of an error', () => {
  test('is cut to a bounded length', () => {
    expect(describeError(new Error('x'.repeat(10_000_000))).length).toBeLessThan(16_400);
  });

  test('holds no NUL, which PostgreSQL cannot store', () => {
    expect(describeError('a\0b')).toBe('a\u{FFFD}b');
    expect(describeError('half \uD83D of \u{1F600}')).toBe('half \u{FFFD} of \u{1F600}');
  });

  test('is there even for what cannot be shown', () => {
    const hostile = {
      toString() {
        throw new Error('no');
      },
    };
    expect(describeError(hostile)).toBe('{ toString: [Function: toString] }');
  });
});
