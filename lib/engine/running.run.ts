import { isDeferred, workOff } from '../model/deferred.work.js';
import {
  InvalidOptionError,
  PayloadMismatchError,
  RunAbortedError,
  RunSettledError,
  TransactionNotSupportedError,
  type AbortCause,
} from '../model/errors.js';
import { policyOf } from '../model/policies.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import { isA, isThenable, outcomeOf } from '../model/thrown.js';
import type { DurationInput, InstantInput } from '../model/trigger.js';
import type { CancelTimer, Clock } from '../ports/clock.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type {
  EpochMs,
  NewFlow,
  NewFlowStep,
  Settlement,
  StepEnd,
  StorageAdapter,
} from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import { parseAt } from '../triggers/instant.js';
import { AttemptContext } from './attempt.context.js';
import { AwaitedWork, type WorkKind } from './awaited.work.js';
import { containedSignal } from './contained.signal.js';
import { currentRuns } from './current.run.js';
import { refuseWithinStepTransaction } from './inside.step.js';
import type { Handler } from './handler.registry.js';
import { DurableSteps } from './durable.steps.js';
import { deadlineOf, type OpenDeadline } from './open.deadline.js';
import { checkPayload } from './payload.check.js';
import type {
  OpenOptions,
  RunLogger,
  SleepOptions,
  DurableStepOptions,
  DurableStepTry,
  WaitForOptions,
} from './run.context.js';
import { StepAttemptContext } from './step.attempt.context.js';
import { growth, refuseOpenedStep, type AddedSteps } from './step.end.js';
import { assertTransactions } from './transaction.options.js';
import { VerdictTransaction } from './verdict.transaction.js';

/**
 * How a handler ended. `snoozed`: it returned, and wants to be called again later · `opened`: it returned, and the verdict comes from outside · `suspended`: it sleeps, and is called again then · `abandoned`: it went on after its signal and the grace time ·
 * `expired`: it was not called, as the deadline of the open run has passed.
 */
export type Ending =
  | { kind: 'returned'; value: unknown; step?: StepEnd }
  | { kind: 'snoozed'; delayMs: number }
  | { kind: 'opened'; deadline: OpenDeadline; flow?: NewFlow }
  | { kind: 'suspended'; until: EpochMs }
  | { kind: 'threw'; error: unknown }
  | { kind: 'abandoned' }
  | { kind: 'expired' };

/** What the attempts of a worker have in common. */
export interface AttemptParts {
  storage: StorageAdapter;
  clock: Clock;
  abortGraceMs: number;
  logger: (handler: string) => RunLogger;
  /** The storage's time. */
  now: () => EpochMs;
  /** Repeats a call to the storage until it succeeds, or is not needed any more. */
  insist: <T>(operation: string, call: () => Promise<T>, isNeeded: () => boolean) => Promise<T | null>;
  /** The settlement of an attempt whose transaction is about to be committed. */
  conclude: (running: RunningRun, ending: Ending) => Settlement;
  /** What a step adds to its workflow, as it is stored. */
  addedSteps: AddedSteps;
  /** Called once, also while `begin` is under way. */
  onEnded: (running: RunningRun, ending: Ending) => void;
  /** Called with what a listener of the signal has thrown. */
  onListenerFailed: (error: unknown) => void;
}

/** A retry begins beside an earlier attempt that has not ended by then. */
export const longestWaitForStragglerMs = 60_000;

/**
 * One attempt in this process: begins at once, or when an earlier one that was given up has ended, and ends exactly once, by itself or `abortGraceMs` after the abort. A
 * handler that ignores its signal goes on, but nobody waits for it; what it does to its run by then is refused by the fence.
 *
 * There are thousands of these a second: what only some need, such as a signal, a timer, a transaction or a promise, is made when it is needed.
 */
export class RunningRun {
  /** The first reason to abort; null: none. */
  abortCause: AbortCause | null = null;
  private controller: AbortController | null = null;
  private opened: VerdictTransaction | null = null;
  private durable: DurableSteps | null = null;
  private awaited: AwaitedWork | null = null;
  private suspended: { promise: Promise<void>; resolve: () => void } | null = null;
  /** What the handler got for its transaction that is under way, or was. */
  private transacting: Promise<unknown> | null = null;
  private cancelTimer: CancelTimer | null = null;
  private cancelGrace: CancelTimer | null = null;
  /** How it ends when it returns; null: with what it returns. */
  private wished: Extract<Ending, { kind: 'snoozed' | 'opened' }> | null = null;
  /** What becomes of it as a step when it returns; null: nothing beside its result. */
  private stepEnd: StepEnd | null = null;
  /** `concluded`: it has returned or thrown, and what it has not waited for goes on. */
  private handler: 'waits' | 'runs' | 'concluded' | 'ended' = 'waits';
  private ended = false;
  private tellHandlerEnded: (() => void) | null = null;

  constructor(
    readonly run: ClaimedRun,
    /** In the storage's time. */
    readonly startedAt: number,
    readonly code: Handler,
    private readonly parts: AttemptParts,
  ) {}

  /** `earlier`: resolves when the earlier attempts of the run in this process have ended; null: there are none. */
  begin(earlier: Promise<void> | null): void {
    if (earlier === null) return this.call();
    const callOnce = (): void => {
      if (this.handler !== 'waits' || this.ended) return;
      this.cancelTimer?.();
      this.call();
    };
    this.cancelTimer = this.parts.clock.setTimer(longestWaitForStragglerMs, callOnce);
    void earlier.then(callOnce);
  }

  /** Fires the handler's signal; only the first reason counts. */
  abort(cause: AbortCause): void {
    if (this.abortCause !== null) return;
    this.abortCause = cause;
    const abandon = (): void => this.end({ kind: 'abandoned' });
    if (this.handler === 'waits') return abandon();
    this.cancelGrace = this.parts.clock.setTimer(this.parts.abortGraceMs, abandon);
    this.controller?.abort(new RunAbortedError(cause));
  }

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      containedSignal(this.controller.signal, this.parts.onListenerFailed);
      if (this.abortCause !== null) this.controller.abort(new RunAbortedError(this.abortCause));
    }
    return this.controller.signal;
  }

  /** What its transaction has committed; null: nothing. */
  get committed(): Settlement | null {
    return this.opened === null ? null : this.opened.committed;
  }

  /** Throws InvalidScheduleError. */
  snooze(delay: DurationInput): void {
    this.wished = { kind: 'snoozed', delayMs: parseDelay(delay, 'delay') };
  }

  /** See `RunContext.open`. */
  open(options?: OpenOptions): void {
    const deadline = deadlineOf(options);
    if (this.ended || this.committed !== null) throw new RunSettledError(this.run.id);
    if (this.stepEnd !== null) refuseOpenedStep('context.open()');
    this.wished = { kind: 'opened', deadline };
  }

  /** Leaves the run open as a workflow. Its deadline is the run's own timeout, else `timeoutMs`; null: it has none. */
  openFlow(flow: NewFlow, timeoutMs: number | null): void {
    const inMs = policyOf(this.run.policies, 'timeoutMs') ?? timeoutMs;
    this.wished = { kind: 'opened', deadline: inMs === null ? null : { inMs }, flow };
  }

  /** What it adds to its workflow when it returns. */
  get addedSteps(): readonly NewFlowStep[] {
    return this.stepEnd?.added ?? [];
  }

  /** See `StepContext.skip` and `StepContext.addSteps`. */
  endStep(by: string, more: StepEnd): void {
    if (this.ended || this.committed !== null) throw new RunSettledError(this.run.id);
    if (this.wished?.kind === 'opened') refuseOpenedStep(by);
    this.stepEnd = growth(this.stepEnd, more);
  }

  /** See `RunContext.step`. */
  step(
    name: string,
    work: (step: DurableStepTry) => unknown,
    options?: DurableStepOptions,
  ): Promise<JsonValue> {
    const { maxRetries = 0 } = options ?? {};
    return this.given(this.steps.step(name, work, options), maxRetries > 0 ? 'may-sleep' : 'ends');
  }

  /** See `RunSteps.transaction`. */
  stepTransaction(
    name: string,
    work: TransactionWork<unknown>,
    options?: AnyTransactionOptions,
  ): Promise<JsonValue> {
    return this.given(this.steps.transaction(name, work, options), 'ends');
  }

  private given<T>(work: Promise<T>, kind: WorkKind): Promise<T> {
    return (this.awaited ??= new AwaitedWork()).given(work, kind);
  }

  private get steps(): DurableSteps {
    const { run, parts } = this;
    return (this.durable ??= new DurableSteps({
      run,
      now: parts.now,
      read: () => parts.storage.queryRunSteps(run.id),
      record: (hold, step) => parts.storage.recordRunStep(hold, step),
      recordWait: (hold, wait) => parts.storage.recordStepWait(hold, wait),
      takeSignal: (hold, wait) => parts.storage.takeRunSignal(hold, wait),
      insist: (operation, call) =>
        parts.insist(operation, call, () => !this.ended && this.abortCause !== 'lease-lost'),
      throwIfAborted: () => {
        if (this.abortCause !== null) this.signal.throwIfAborted();
        if (this.ended || this.committed !== null) throw new RunSettledError(run.id);
      },
      isAborted: () => this.abortCause !== null,
      tries: {
        clock: parts.clock,
        abortGraceMs: parts.abortGraceMs,
        signal: () => this.signal,
        onListenerFailed: parts.onListenerFailed,
      },
      suspend: (until) => this.suspend(until),
      transact: async (work, conclude, options) => {
        assertTransactions(parts.storage, 'ctx.step.transaction()');
        if (this.opened?.isUnderWay === true) {
          throw new InvalidOptionError(
            'context.step.transaction()',
            'context.transaction() is under way, and would stay open for it: make it before that, or a plain step of it.',
          );
        }
        try {
          return await parts.storage.transaction!(work, conclude, options);
        } catch (error) {
          throw ofStep(error);
        }
      },
    }));
  }

  /** Resolves when the attempt ends as its handler sleeps, never otherwise. */
  get suspension(): Promise<void> {
    if (this.suspended === null) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.suspended = { promise, resolve };
    }
    return this.suspended.promise;
  }

  /** See `RunContext.sleep`. */
  sleep(delay: DurationInput, options?: SleepOptions): Promise<void> {
    const sleeping = async (): Promise<void> => {
      const delayMs = parseDelay(delay, 'delay');
      this.assertMaySleep();
      await this.steps.sleep((now) => now + delayMs, options);
    };
    return this.given(sleeping(), 'sleeps');
  }

  /** See `RunContext.sleepUntil`. */
  sleepUntil(at: InstantInput, options?: SleepOptions): Promise<void> {
    const sleeping = async (): Promise<void> => {
      const until = parseAt(at, this.run.timeZone).getTime();
      this.assertMaySleep();
      await this.steps.sleep(() => until, options);
    };
    return this.given(sleeping(), 'sleeps');
  }

  /** See `RunContext.waitFor`. */
  waitFor(signal: string, options?: WaitForOptions): Promise<JsonValue> {
    const waiting = async (): Promise<JsonValue> => {
      this.assertMaySleep('waitFor', 'wait');
      return this.steps.waitFor(signal, options);
    };
    return this.given(waiting(), 'sleeps');
  }

  private assertMaySleep(option = 'sleep', todo = 'sleep'): void {
    if (this.opened?.isUnderWay !== true) return;
    throw new InvalidOptionError(
      option,
      `context.transaction() is under way, and would stay open: ${todo} before it. Its commit ends the run.`,
    );
  }

  /** It was open until its deadline, and is not called again. */
  expire(): void {
    this.end({ kind: 'expired' });
  }

  /** See `RunContext.transaction`. */
  transact<T>(work: TransactionWork<T>, options?: AnyTransactionOptions): Promise<T> {
    const isAnother = this.opened?.isUnderWay === true;
    const transacting = this.transactOnce(work, options);
    if (!isAnother) this.transacting = transacting;
    return this.given(transacting, 'ends');
  }

  private async transactOnce<T>(work: TransactionWork<T>, options?: AnyTransactionOptions): Promise<T> {
    refuseWithinStepTransaction('context.transaction()');
    if (this.opened === null) {
      const { storage, conclude } = this.parts;
      this.opened = new VerdictTransaction(storage, this.run, (value) =>
        conclude(this, this.endingIn(value)),
      );
      if (this.ended) this.opened.end();
    }
    const { wished, stepEnd } = this;
    try {
      return await this.opened.perform(work, this.abortCause === 'lease-lost', options);
    } catch (error) {
      // What was wished for in there is rolled back with it.
      if (this.committed === null) {
        this.wished = wished;
        this.stepEnd = stepEnd;
      }
      throw error;
    }
  }

  /** Resolves when the handler itself has ended, or was never called; never rejects. */
  untilHandlerEnded(): Promise<void> {
    if (this.handler !== 'runs' && this.handler !== 'concluded') return Promise.resolve();
    return new Promise((resolve) => (this.tellHandlerEnded = resolve));
  }

  private call(): void {
    this.handler = 'runs';
    const timeoutMs = policyOf(this.run.policies, 'timeoutMs');
    if (timeoutMs !== null) {
      this.cancelTimer = this.parts.clock.setTimer(timeoutMs, () => this.abort('timeout'));
    }
    if (this.code.schema === null) return this.callWith(this.run.payload);
    void outcomeOf(
      this.checkedPayload(),
      (error) => this.threw(error),
      ({ payload }) => this.callWith(payload),
    );
  }

  /** The context is not kept: with thousands of runs in hands, what lives longer is what the garbage collector copies. */
  private callWith(payload: unknown): void {
    let context: AttemptContext;
    let value: unknown;
    try {
      const { run, parts } = this;
      const logger = parts.logger(run.handler);
      context =
        run.flowStep === undefined
          ? new AttemptContext(this, logger, payload)
          : new StepAttemptContext(this, logger, payload, run.flowStep, parts);
      value = this.code.run(context);
      if (isQuery(value)) value = workOffWithin(context, value);
    } catch (error) {
      return this.threw(error);
    }
    const mayBePromise = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (!mayBePromise) return this.returned(value);
    void outcomeOf(
      value,
      (error) => this.threw(error),
      (result) => this.concluded(result, context),
    );
  }

  /** An Observable or an iterator is the handler's work as well: it goes on until that has ended. */
  private concluded(value: unknown, context: AttemptContext): void {
    if (!isDeferred(value)) return this.returned(value);
    void outcomeOf(
      workOffWithin(context, value),
      (error) => this.threw(error),
      (result) => this.returned(result),
    );
  }

  /** With the payload as the schema of the handler gives it; what was right when the job was made may be wrong for the code of today. */
  private async checkedPayload(): Promise<{ payload: unknown }> {
    const { name, schema } = this.code;
    const checked = await checkPayload(schema!, this.run.payload);
    if (this.abortCause !== null) this.signal.throwIfAborted();
    if (checked.issues === null) return { payload: checked.value };
    throw new PayloadMismatchError(this.run.jobId, name, checked.issues);
  }

  private returned(value: unknown): void {
    // As nearly always: nothing is made for what most do not have.
    if (this.awaited === null) return this.handlerEnded(this.wished ?? this.returning(value));
    this.handler = 'concluded';
    const returned = (): void => {
      const retryAt = this.awaited!.hasUnheardAsleep ? this.durable!.wakesAt : null;
      const ending: Ending = retryAt === null ? this.returning(value) : { kind: 'suspended', until: retryAt };
      this.unlessUnheard(this.wished ?? ending);
    };
    this.afterSteps(() =>
      this.afterTransaction(returned, (error) => this.handlerEnded({ kind: 'threw', error })),
    );
  }

  private endingIn(value: unknown): Ending {
    return this.wished?.kind === 'opened' ? this.wished : this.returning(value);
  }

  private returning(value: unknown): Ending {
    const { stepEnd } = this;
    return stepEnd === null ? { kind: 'returned', value } : { kind: 'returned', value, step: stepEnd };
  }

  private threw(error: unknown): void {
    this.handler = 'concluded';
    const threw = (): void => this.handlerEnded({ kind: 'threw', error });
    this.afterSteps(() => this.afterTransaction(threw, threw));
  }

  /** What a handler has not waited for is done by then, and kept. */
  private afterSteps(over: () => void): void {
    if (this.durable === null || !this.durable.isUnderWay) return over();
    void this.durable.idle().then(over);
  }

  /** What has failed without the handler waiting for it has failed its attempt. */
  private unlessUnheard(ending: Ending): void {
    this.awaited!.whenOver(() => {
      const unheard = this.awaited!.unheard;
      this.handlerEnded(unheard === null ? ending : { kind: 'threw', error: unheard.error });
    });
  }

  /** The handler stays where it is, and is never heard of again; what stands around it goes on as if it had returned. */
  private suspend(until: EpochMs): void {
    if (this.ended || this.handler !== 'runs') return;
    // What is to stop goes on after that, or never.
    const ending: Ending = this.abortCause === null ? { kind: 'suspended', until } : { kind: 'abandoned' };
    this.afterTransaction(
      () => {
        this.unlessUnheard(ending);
        this.suspended?.resolve();
      },
      (error) => this.handlerEnded({ kind: 'threw', error }),
    );
  }

  /** A handler that has not awaited its transaction has ended when that has. Nobody else hears of its failure. */
  private afterTransaction(over: () => void, failed: (error: unknown) => void): void {
    if (this.opened === null || !this.opened.isUnderWay) return over();
    this.transacting!.then(over, failed);
  }

  private handlerEnded(ending: Ending): void {
    this.handler = 'ended';
    this.tellHandlerEnded?.();
    this.end(ending);
  }

  private end(ending: Ending): void {
    if (this.ended) return;
    this.ended = true;
    this.cancelTimer?.();
    this.cancelGrace?.();
    this.opened?.end();
    this.parts.onEnded(this, ending);
  }
}

/** The storage knows one kind of transaction of a handler. */
function ofStep(error: unknown): unknown {
  if (!isA(error, TransactionNotSupportedError) || error.call !== 'ctx.transaction()') return error;
  const { problem, cause } = error;
  const call = 'ctx.step.transaction()';
  return new TransactionNotSupportedError(call, problem, cause === undefined ? undefined : { cause });
}

/** Within the run, as it may begin only now. */
function workOffWithin(context: AttemptContext, value: unknown): Promise<unknown> {
  return currentRuns.run(context, workOff, value, context);
}

/** Like a promise, but none of the platform: queries of many libraries begin when somebody waits for them. */
function isQuery(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isA(value, Promise) && isThenable(value);
}
