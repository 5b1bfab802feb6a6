import { describe, expect, test } from 'vitest';
import { backoffDelayMs, retryAt } from '../../lib/engine/retry.policy.js';
import { resolvePolicies, type Backoff, type Policies } from '../../lib/model/policies.js';
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

describe('retryAt', () => {
  const policies = (given: Partial<Policies>): Policies =>
    resolvePolicies({ backoff: { type: 'fixed', delayMs: 100 }, ...given });

  test('gives up at once without retries', () => {
    expect(retryAt(claimedRun({ attempt: 1 }), policies({}), 1_000, half)).toBeNull();
  });

  test('retries until the retries are used up', () => {
    const two = policies({ maxRetries: 2 });
    expect(retryAt(claimedRun({ attempt: 2 }), two, 1_000, half)).toBe(1_100);
    expect(retryAt(claimedRun({ attempt: 3 }), two, 1_000, half)).toBeNull();
  });

  test('does not count attempts that were lost with their worker', () => {
    const one = policies({ maxRetries: 1 });
    expect(retryAt(claimedRun({ attempt: 3, lostCount: 2 }), one, 1_000, half)).toBe(1_100);
    expect(retryAt(claimedRun({ attempt: 4, lostCount: 2 }), one, 1_000, half)).toBeNull();
  });
});
