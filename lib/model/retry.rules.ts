import type { DurationInput } from './trigger.js';

/**
 * What a handler decides itself about its retries, by functions: they belong to the code that declares it and are never stored. How many
 * retries there are is the job's `maxRetries`. @publicApi
 */
export interface RetryRules {
  /** Whether to try again after this error; false: the run has failed. @default every error is worth a retry */
  retryIf?: (error: unknown) => boolean;
  /**
   * The delay before a retry, counted from 1: a duration, or 0 for at once. If it throws or gives anything else, the job's own `backoff`
   * counts, and the event `retry-rule.failed` tells.
   */
  backoff?: (retry: number, error: unknown) => DurationInput;
}
