import { InvalidOptionError, TransactionNotSupportedError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import { isA } from '../model/thrown.js';
import type { DurationInput, InstantInput } from '../model/trigger.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { EpochMs, RunStepRecord } from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import { parseAt } from '../triggers/instant.js';
import type { AttemptParts } from './attempt.parts.js';
import type { WorkKind } from './awaited.work.js';
import { DurableSteps } from './durable.steps.js';
import type { DurableStepOptions, DurableStepTry, SleepOptions, WaitForOptions } from './run.context.js';
import type { StepParts } from './step.parts.js';
import { assertTransactions } from './transaction.options.js';

/** The attempt, as far as its durable steps have to know of it. */
export interface SteppingAttempt {
  readonly run: ClaimedRun;
  readonly signal: AbortSignal;
  readonly isAborted: boolean;
  /** Whether what it keeps still counts. */
  readonly isOwner: boolean;
  /** Whether a transaction is under way that commits its verdict. */
  readonly isTransacting: boolean;
  /** Throws why it is to stop, or RunSettledError, if either is so. */
  throwIfAborted(): void;
  /** Work that the handler may wait for, or not. */
  given<T>(work: Promise<T>, kind: WorkKind): Promise<T>;
  suspend(until: EpochMs): void;
}

/** The durable steps of one attempt, as its context offers them. */
export class AttemptSteps {
  private readonly durable: DurableSteps;

  constructor(
    private readonly attempt: SteppingAttempt,
    private readonly parts: AttemptParts,
  ) {
    this.durable = new DurableSteps(this.stepParts());
  }

  /** When the earliest of what waits goes on; Infinity: by a signal; null: nothing waits. */
  get wakesAt(): EpochMs | null {
    return this.durable.wakesAt;
  }

  /** Calls back when no step is under way: at once where none is. */
  whenIdle(over: () => void): void {
    if (!this.durable.isUnderWay) return over();
    void this.durable.idle().then(over);
  }

  /** See `RunContext.step`. */
  step(
    name: string,
    work: (step: DurableStepTry) => unknown,
    options?: DurableStepOptions,
  ): Promise<JsonValue> {
    const { maxRetries = 0 } = options ?? {};
    return this.attempt.given(this.durable.step(name, work, options), maxRetries > 0 ? 'may-sleep' : 'ends');
  }

  /** See `RunSteps.transaction`. */
  transaction(
    name: string,
    work: TransactionWork<unknown>,
    options?: AnyTransactionOptions,
  ): Promise<JsonValue> {
    return this.attempt.given(this.durable.transaction(name, work, options), 'ends');
  }

  /** See `RunContext.sleep`. */
  sleep(delay: DurationInput, options?: SleepOptions): Promise<void> {
    const sleeping = async (): Promise<void> => {
      const delayMs = parseDelay(delay, 'delay');
      this.assertMaySleep();
      await this.durable.sleep((now) => now + delayMs, options);
    };
    return this.attempt.given(sleeping(), 'sleeps');
  }

  /** See `RunContext.sleepUntil`. */
  sleepUntil(at: InstantInput, options?: SleepOptions): Promise<void> {
    const sleeping = async (): Promise<void> => {
      const until = parseAt(at, this.attempt.run.timeZone).getTime();
      this.assertMaySleep();
      await this.durable.sleep(() => until, options);
    };
    return this.attempt.given(sleeping(), 'sleeps');
  }

  /** See `RunContext.waitFor`. */
  waitFor(signal: string, options?: WaitForOptions): Promise<JsonValue> {
    const waiting = async (): Promise<JsonValue> => {
      this.assertMaySleep('waitFor', 'wait');
      return this.durable.waitFor(signal, options);
    };
    return this.attempt.given(waiting(), 'sleeps');
  }

  private assertMaySleep(option = 'sleep', todo = 'sleep'): void {
    if (!this.attempt.isTransacting) return;
    throw new InvalidOptionError(
      option,
      `context.transaction() is under way, and would stay open: ${todo} before it. Its commit ends the run.`,
    );
  }

  private stepParts(): StepParts {
    const { attempt, parts } = this;
    const { run } = attempt;
    const { storage } = parts;
    return {
      run,
      now: parts.now,
      read: () => storage.queryRunSteps(run.id),
      record: (hold, step) => storage.recordRunStep(hold, step),
      recordWait: (hold, wait) => storage.recordStepWait(hold, wait),
      takeSignal: (hold, wait) => storage.takeRunSignal(hold, wait),
      insist: (operation, call) => parts.insist(operation, call, () => attempt.isOwner),
      throwIfAborted: () => attempt.throwIfAborted(),
      isAborted: () => attempt.isAborted,
      tries: {
        clock: parts.clock,
        abortGraceMs: parts.abortGraceMs,
        signal: () => attempt.signal,
        onListenerFailed: parts.onListenerFailed,
      },
      suspend: (until) => attempt.suspend(until),
      transact: (work, conclude, options) => this.transact(work, conclude, options),
    };
  }

  private async transact<T>(
    work: TransactionWork<T>,
    conclude: (value: T) => RunStepRecord,
    options: AnyTransactionOptions,
  ): Promise<T> {
    const { storage } = this.parts;
    assertTransactions(storage, 'ctx.step.transaction()');
    if (this.attempt.isTransacting) {
      throw new InvalidOptionError(
        'context.step.transaction()',
        'context.transaction() is under way, and would stay open for it: make it before that, or a plain step of it.',
      );
    }
    try {
      return await storage.transaction!(work, conclude, options);
    } catch (error) {
      throw ofStep(error);
    }
  }
}

/** The storage knows one kind of transaction of a handler. */
function ofStep(error: unknown): unknown {
  if (!isA(error, TransactionNotSupportedError) || error.call !== 'ctx.transaction()') return error;
  const { problem, cause } = error;
  const call = 'ctx.step.transaction()';
  return new TransactionNotSupportedError(call, problem, cause === undefined ? undefined : { cause });
}
