import { InvalidOptionError } from '../model/errors.js';
import { defaultPolicies, type Policies } from '../model/policies.js';
import type { RetryRules } from '../model/retry.rules.js';
import { backoffOf } from '../triggers/backoff.js';
import { parseDuration } from '../triggers/duration.js';
import { described } from '../triggers/refuse.js';
import type { DurableStepOptions } from './run.context.js';
import { assertOptions } from './transaction.options.js';

const mostRetries = 1_000_000;

/** What a step says of its own tries. */
export interface StepPolicies
  extends Pick<Policies, 'maxRetries' | 'backoff' | 'timeoutMs'>, Pick<RetryRules, 'retryIf'> {}

/** Throws InvalidOptionError, InvalidScheduleError. */
export function stepPoliciesOf(options: DurableStepOptions = {}): StepPolicies {
  assertOptions('context.step()', options, ['maxRetries', 'backoff', 'retryIf', 'timeout']);
  const { maxRetries = 0, backoff, retryIf, timeout } = options;
  if (!Number.isInteger(maxRetries) || maxRetries < 0 || maxRetries > mostRetries)
    refuse('maxRetries', `must be a whole number from 0 to ${mostRetries}, but is ${described(maxRetries)}.`);
  if (retryIf !== undefined && typeof retryIf !== 'function')
    refuse('retryIf', `must be a function of the error, but is ${described(retryIf)}.`);
  if (typeof backoff === 'function')
    refuse('backoff', 'must be data here, such as a list of delays, but is a function.');
  if (maxRetries === 0 && (backoff !== undefined || retryIf !== undefined))
    refuse(
      backoff === undefined ? 'retryIf' : 'backoff',
      'is of no use where there are no retries: give maxRetries as well.',
    );
  return {
    maxRetries,
    backoff: backoff === undefined ? defaultPolicies.backoff : backoffOf(backoff),
    timeoutMs: timeout === undefined ? null : parseDuration(timeout, 'timeout'),
    ...(retryIf !== undefined && { retryIf }),
  };
}

function refuse(option: string, problem: string): never {
  throw new InvalidOptionError(option, problem);
}
