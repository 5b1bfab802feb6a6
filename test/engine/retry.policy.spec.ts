import { describe, expect, test } from 'vitest';
import { RetryAfterError, UnrecoverableError } from '../../lib/model/errors.js';
import { backoffDelayMs, decideRetry } from '../../lib/engine/retry.policy.js';
import { resolvePolicies, type Backoff, type Policies } from '../../lib/model/policies.js';
import type { RetryRules } from '../../lib/model/retry.rules.js';
import type { ClaimedRun } from '../../lib/model/run.js';
import { claimedRun } from '../support/claimed-run.js';

const half = (): number => 0.5;

describe('backoff', () => {
  const delays = (backoff: Backoff): number[] =>
    [1, 2, 3, 4].map((retry) => backoffDelayMs(backoff, retry, half));

  test('fixed is the same every time', () => {
    expect(delays({ type: 'fixed', delayMs: 700 })).toEqual([700, 700, 700, 700]);
  });

  test('linear grows by the delay up to the cap', () => {
    expect(delays({ type: 'linear', delayMs: 100, maxMs: 250 })).toEqual([100, 200, 250, 250]);
  });

  test('exponential doubles up to the cap', () => {
    const backoff: Backoff = { type: 'exponential', delayMs: 100, maxMs: 500, jitter: false };
    expect(delays(backoff)).toEqual([100, 200, 400, 500]);
  });

  test('exponential draws from the whole range with full jitter', () => {
    expect(delays({ type: 'exponential', delayMs: 100 })).toEqual([50, 100, 200, 400]);
    expect(backoffDelayMs({ type: 'exponential', delayMs: 100 }, 3, () => 0)).toBe(0);
  });

  test('a list gives one delay per retry and repeats its last', () => {
    expect(delays([10, 20])).toEqual([10, 20, 20, 20]);
  });

  test('a very late retry stays a finite number', () => {
    const backoff: Backoff = { type: 'exponential', delayMs: 100, maxMs: 5_000, jitter: false };
    expect(backoffDelayMs(backoff, 5_000, half)).toBe(5_000);
  });
});

describe('the decision about a retry', () => {
  const fixed = { backoff: { type: 'fixed', delayMs: 100 } } as const;
  const boom = new Error('boom');

  function decide(
    given: Partial<Policies>,
    run: Partial<ClaimedRun> = {},
    error: unknown = boom,
    rules: RetryRules = {},
  ) {
    return decideRetry(claimedRun(run), resolvePolicies({ ...fixed, ...given }), error, 1_000, rules, half);
  }
  const retryAt = (...given: Parameters<typeof decide>) => decide(...given).retryAt;

  test('gives up at once without retries', () => {
    expect(retryAt({}, { attempt: 1 })).toBeNull();
  });

  test('retries until the retries are used up', () => {
    expect(retryAt({ maxRetries: 2 }, { attempt: 2 })).toBe(1_100);
    expect(retryAt({ maxRetries: 2 }, { attempt: 3 })).toBeNull();
  });

  test('does not count attempts that were lost with their worker', () => {
    expect(retryAt({ maxRetries: 1 }, { attempt: 3, lostCount: 2 })).toBe(1_100);
    expect(retryAt({ maxRetries: 1 }, { attempt: 4, lostCount: 2 })).toBeNull();
  });

  test('an UnrecoverableError ends the run', () => {
    expect(retryAt({ maxRetries: 9 }, {}, new UnrecoverableError('no such account'))).toBeNull();
  });

  test.each([
    [5_000, 6_000],
    ['2m', 121_000],
    [{ seconds: 3 }, 4_000],
    [0, 1_000],
  ])('a RetryAfterError of %j gives the delay', (delay, due) => {
    expect(retryAt({ maxRetries: 1 }, {}, new RetryAfterError(delay))).toBe(due);
    expect(retryAt({ maxRetries: 1 }, { attempt: 2 }, new RetryAfterError(delay))).toBeNull();
  });

  test('retryIf decides by the error', () => {
    const seen: unknown[] = [];
    const retryIf = (error: unknown): boolean => (seen.push(error), error === boom);
    expect(retryAt({ maxRetries: 1 }, {}, boom, { retryIf })).toBe(1_100);
    expect(retryAt({ maxRetries: 1 }, {}, new Error('other'), { retryIf })).toBeNull();
    expect(seen).toHaveLength(2);
    expect(retryAt({ maxRetries: 0 }, {}, boom, { retryIf })).toBeNull();
    expect(seen, 'It is not asked where no retry is left.').toHaveLength(2);
  });

  test('the backoff of the handler gets the number of the retry and the error', () => {
    const seen: unknown[] = [];
    const backoff = (retry: number, error: unknown) => (seen.push([retry, error]), retry === 1 ? 0 : '3s');
    expect(retryAt({ maxRetries: 3 }, { attempt: 1 }, boom, { backoff })).toBe(1_000);
    expect(retryAt({ maxRetries: 3 }, { attempt: 3, lostCount: 1 }, boom, { backoff })).toBe(4_000);
    expect(seen).toEqual([
      [1, boom],
      [2, boom],
    ]);
  });

  test('a RetryAfterError comes before the backoff of the handler', () => {
    expect(retryAt({ maxRetries: 1 }, {}, new RetryAfterError(7), { backoff: () => 9 })).toBe(1_007);
  });

  test.each([
    ['NaN', () => NaN, 'delay: NaN is not a finite number.'],
    ['a negative number', () => -1, 'delay: -1 must not be negative.'],
    ['infinity', () => Infinity, 'delay: Infinity is not a finite number.'],
    ['nothing', () => undefined as never, 'delay: undefined is not a duration.'],
    ['a promise', () => Promise.resolve(5) as never, 'delay:'],
    [
      'an error',
      () => {
        throw new Error('no network');
      },
      'no network',
    ],
  ])(
    'a backoff function that gives %s is told of, and the policy of the job counts',
    (_, backoff, message) => {
      const { retryAt: due, ruleFailures } = decide({ maxRetries: 1 }, {}, boom, { backoff });
      expect(due).toBe(1_100);
      expect(ruleFailures).toMatchObject([{ rule: 'backoff' }]);
      expect((ruleFailures[0]!.error as Error).message).toContain(message);
    },
  );

  test.each([
    ['throws', () => JSON.parse('{'), 'JSON'],
    ['gives no boolean', () => 'yes' as never, 'retryIf must return true or false, but returned yes.'],
    [
      'gives a promise',
      () => Promise.resolve(false) as never,
      'retryIf must return true or false, but returned a promise.',
    ],
  ])('a retryIf that %s is told of, and the run is tried again', (_, retryIf, message) => {
    const { retryAt: due, ruleFailures } = decide({ maxRetries: 1 }, {}, boom, { retryIf });
    expect(due).toBe(1_100);
    expect(ruleFailures).toMatchObject([{ rule: 'retryIf' }]);
    expect((ruleFailures[0]!.error as Error).message).toContain(message);
  });

  test('a RetryAfterError without a usable delay is told of, and the policy of the job counts', () => {
    const { retryAt: due, ruleFailures } = decide({ maxRetries: 1 }, {}, new RetryAfterError('soon'));
    expect(due).toBe(1_100);
    expect(ruleFailures).toMatchObject([{ rule: 'RetryAfterError' }]);
  });
});
