import { RetryAfterError, UnrecoverableError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { Backoff, Policies } from '../model/policies.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { ClaimedRun } from '../model/run.js';
import { isA, outcomeOf } from '../model/thrown.js';
import type { DurationInput } from '../model/trigger.js';
import { parseDelay } from '../triggers/duration.js';

/** The delay before the given retry (from 1), in whole milliseconds. `random` gives numbers in [0, 1). */
export function backoffDelayMs(backoff: Backoff, retry: number, random: () => number): number {
  if (Array.isArray(backoff)) return backoff[Math.min(retry, backoff.length) - 1] ?? 0;
  if (backoff.type === 'fixed') return backoff.delayMs;
  const cap = backoff.maxMs ?? Number.MAX_SAFE_INTEGER;
  if (backoff.type === 'linear') return Math.min(backoff.delayMs * retry, cap);
  const delay = Math.min(backoff.delayMs * 2 ** Math.min(retry - 1, 52), cap);
  return Math.round(backoff.jitter === false ? delay : delay * random());
}

/** A function of the handler that threw or gave nothing of use; the job's own policy was followed instead. */
export interface RuleFailure {
  rule: 'retryIf' | 'backoff' | 'RetryAfterError';
  error: unknown;
}

/** What follows a failure. */
export interface RetryDecision {
  /** When the run is due again; null: it gives up. */
  retryAt: number | null;
  ruleFailures: RuleFailure[];
}

/**
 * Whether and when a run whose attempt failed is tried again. Attempts that were lost with their worker do not count. The retries of the job
 * are the limit; within it an UnrecoverableError ends the run, then `retryIf` decides, then a RetryAfterError or the handler's `backoff` gives the
 * delay, else the job's.
 */
export function decideRetry(
  run: ClaimedRun,
  policies: Policies,
  error: unknown,
  failedAt: number,
  rules: RetryRules,
  random: () => number,
): RetryDecision {
  const failures = run.attempt - run.lostCount;
  const { delayMs, ruleFailures } = retryDelay(failures, policies, error, rules, random);
  return { retryAt: delayMs === null ? null : failedAt + delayMs, ruleFailures };
}

/** The same for whatever has failed so often; `delayMs` null: it is given up. */
export function retryDelay(
  failures: number,
  policies: Pick<Policies, 'maxRetries' | 'backoff'>,
  error: unknown,
  rules: RetryRules,
  random: () => number,
): { delayMs: number | null; ruleFailures: RuleFailure[] } {
  const ruleFailures: RuleFailure[] = [];
  const giveUp = { delayMs: null, ruleFailures };
  if (failures > policies.maxRetries || isOf(error, UnrecoverableError)) return giveUp;
  const retry = Math.max(failures, 1);
  const worth =
    rules.retryIf && attempted('retryIf', () => booleanOf(settled(rules.retryIf!(error))), ruleFailures);
  if (worth === false) return giveUp;
  const wanted = isOf(error, RetryAfterError)
    ? attempted('RetryAfterError', () => delayOf(error.delay), ruleFailures)
    : rules.backoff &&
      attempted('backoff', () => delayOf(settled(rules.backoff!(retry, error))), ruleFailures);
  const delayMs = wanted ?? backoffDelayMs(policies.backoff, retry, random);
  return { delayMs, ruleFailures };
}

function attempted<T>(rule: RuleFailure['rule'], decide: () => T, failures: RuleFailure[]): T | undefined {
  try {
    return decide();
  } catch (error) {
    failures.push({ rule, error });
    return undefined;
  }
}

/** An async function is of no use as a rule, and what it rejects with must not end the process. */
function settled<T>(given: T): T {
  if (isA(given, Promise)) void outcomeOf(given, () => undefined);
  return given;
}

function delayOf(given: DurationInput): number {
  return parseDelay(given, 'delay');
}

function booleanOf(given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  throw new TypeError(`retryIf must return true or false, but returned ${describeValue(given)}.`);
}

function describeValue(value: unknown): string {
  return isA(value, Promise) ? 'a promise' : String(value);
}
