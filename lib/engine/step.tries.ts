import { InvalidOptionError, StepTimeoutError } from '../model/errors.js';
import { chronisCodeOf } from '../model/recognized.js';
import type { Clock } from '../ports/clock.js';
import { containedSignal } from './contained.signal.js';
import { retryDelay } from './retry.policy.js';
import type { DurableStepTry } from './run.context.js';
import type { StepPolicies } from './step.policies.js';

/** What another try would not change. */
const inVain: readonly string[] = [
  'CHRONIS_CLAIM_LOST',
  'CHRONIS_DURABLE_STEP_MISMATCH',
  'CHRONIS_INVALID_OPTION',
  'CHRONIS_RUN_ABORTED',
  'CHRONIS_RUN_SETTLED',
];

/** Of one attempt. */
export interface TryParts {
  clock: Clock;
  abortGraceMs: number;
  /** That of the attempt. */
  signal: () => AbortSignal;
  onListenerFailed: (error: unknown) => void;
}

/** One try of a step. Rejects with StepTimeoutError when its time is over and it has not ended by its signal; what it does after the grace time is its own affair. */
export function tryOnce<T>(
  work: (step: DurableStepTry) => Promise<T>,
  retry: number,
  { runId, name, timeoutMs }: { runId: string; name: string; timeoutMs: number | null },
  { clock, abortGraceMs, signal: outer, onListenerFailed }: TryParts,
): Promise<T> {
  if (timeoutMs === null) {
    return work({
      retry,
      get signal() {
        return outer();
      },
    });
  }
  const controller = new AbortController();
  const signal = containedSignal(controller.signal, onListenerFailed);
  const abort = (): void => controller.abort(outer().reason);
  if (outer().aborted) abort();
  else outer().addEventListener('abort', abort, { once: true });
  return new Promise((resolve, reject) => {
    let timedOut: StepTimeoutError | null = null;
    let cancel = clock.setTimer(timeoutMs, () => {
      timedOut = new StepTimeoutError(runId, name, timeoutMs);
      cancel = clock.setTimer(abortGraceMs, () => over(() => reject(timedOut)));
      controller.abort(timedOut);
    });
    const over = (settle: () => void): void => {
      cancel();
      outer().removeEventListener('abort', abort);
      settle();
    };
    const failed = (error: unknown): void => {
      if (timedOut !== null && error !== timedOut) Object.assign(timedOut, { cause: error });
      over(() => reject(timedOut ?? error));
    };
    void work({ retry, signal }).then((value) => over(() => resolve(value)), failed);
  });
}

/** How long to wait before the next try; null: it is given up. `failures`: with this one. Throws InvalidOptionError where `retryIf` is of no use. */
export function delayBeforeRetry(policies: StepPolicies, failures: number, error: unknown): number | null {
  if (inVain.includes(chronisCodeOf(error) ?? '')) return null;
  const { retryIf } = policies;
  const rules = retryIf === undefined ? {} : { retryIf };
  const { delayMs, ruleFailures } = retryDelay(failures, policies, error, rules, Math.random);
  const [failure] = ruleFailures;
  if (failure === undefined) return delayMs;
  const problem = `cannot be used, and the step is not tried again: ${String(failure.error)}`;
  throw Object.assign(new InvalidOptionError(failure.rule, problem), { cause: error });
}

/** Resolves after a time, or when the signal fires. */
export function pause(ms: number, { clock, signal }: TryParts): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      cancel();
      signal().removeEventListener('abort', over);
      resolve();
    };
    const cancel = clock.setTimer(ms, over);
    signal().addEventListener('abort', over, { once: true });
  });
}
