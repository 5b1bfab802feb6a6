import { InvalidOptionError, StepTimeoutError } from '../model/errors.js';
import { chronisCodeOf } from '../model/recognized.js';
import type { JsonValue } from '../model/json.js';
import type { EpochMs, RunStep, RunStepPlace } from '../ports/storage.adapter.js';
import { containedSignal } from './contained.signal.js';
import { retryDelay } from './retry.policy.js';
import type { DurableStepTry } from './run.context.js';
import { describeError } from './settlement.js';
import type { StepLedger } from './step.ledger.js';
import type { StepParts, TryParts } from './step.parts.js';
import type { StepPolicies } from './step.policies.js';

/** What another try would not change. */
const inVain: readonly string[] = [
  'CHRONIS_CLAIM_LOST',
  'CHRONIS_DURABLE_STEP_MISMATCH',
  'CHRONIS_INVALID_OPTION',
  'CHRONIS_RUN_ABORTED',
  'CHRONIS_RUN_SETTLED',
];

/** The delay before a retry that takes the place of a worker: to end the attempt for it would cost more. */
const longestWaitInPlaceMs = 1_000;

/** The tries of one step, whose count is on record: one that dies in the middle of one counts as none. */
export class StepTries {
  constructor(
    private readonly parts: StepParts,
    private readonly ledger: StepLedger,
    private readonly place: RunStepPlace,
    private readonly policies: StepPolicies,
  ) {}

  /** Its result, or until when it waits for the next try. Rejects with what it has thrown last. `known`: what is stored of it. */
  async play(
    work: (step: DurableStepTry) => Promise<JsonValue>,
    known: RunStep | undefined,
  ): Promise<{ result: JsonValue } | { until: EpochMs }> {
    const { now, run, tries, throwIfAborted } = this.parts;
    // Woken for another reason: its retry has a time of its own.
    if (known !== undefined && (known.until ?? 0) > now()) return { until: known.until! };
    const about = { runId: run.id, name: this.place.name, timeoutMs: this.policies.timeoutMs };
    for (let failures = known?.failures ?? 0; ; failures++) {
      throwIfAborted();
      try {
        return { result: await tryOnce(work, failures, about, tries) };
      } catch (error) {
        const delayMs = await this.afterFailure(failures, error);
        if (delayMs > longestWaitInPlaceMs) return { until: now() + delayMs };
        await pause(delayMs, tries);
      }
    }
  }

  /** How long it is to the next try, which is on record, or throws the error. `failures`: without this one. */
  private async afterFailure(failures: number, error: unknown): Promise<number> {
    const { now, isAborted } = this.parts;
    let thrown = error;
    let delayMs: number | null = null;
    try {
      delayMs = isAborted() ? null : delayBeforeRetry(this.policies, failures + 1, error);
    } catch (unusable) {
      thrown = unusable;
    }
    const kept = { ...this.place, error: describeError(error) };
    if (delayMs !== null) {
      await this.ledger.keepWait({ ...kept, until: now() + delayMs, failures: failures + 1 });
      return delayMs;
    }
    // The next attempt has all retries again. One that is to stop has not used them up.
    if (failures > 0 && !isAborted()) await this.ledger.keepWait({ ...kept, until: null, failures: 0 });
    throw thrown;
  }
}

/** One try of a step. Rejects with StepTimeoutError when its time is over and it has not ended by its signal; what it does after the grace time is its own affair. */
function tryOnce<T>(
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
function delayBeforeRetry(policies: StepPolicies, failures: number, error: unknown): number | null {
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
function pause(ms: number, { clock, signal }: TryParts): Promise<void> {
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
