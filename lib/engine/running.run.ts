import { RunAbortedError, RunSettledError, type AbortCause } from '../model/errors.js';
import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { CancelTimer } from '../ports/clock.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { EpochMs, Settlement, StepEnd } from '../ports/storage.adapter.js';
import type { AttemptTrace } from '../ports/tracing.js';
import type { Ending } from './attempt.ending.js';
import type { AttemptParts } from './attempt.parts.js';
import type { AttemptLog } from './attempt.log.js';
import { AttemptProgress } from './attempt.progress.js';
import { AttemptSteps, type SteppingAttempt } from './attempt.steps.js';
import { AwaitedWork, type WorkKind } from './awaited.work.js';
import { containedSignal } from './contained.signal.js';
import { callHandler } from './handler.call.js';
import type { Handler } from './handler.registry.js';
import type { CheckedSteps } from './step.end.js';
import { deadlineOf } from './open.deadline.js';
import type { OpenOptions } from './run.context.js';
import { VerdictTransaction } from './verdict.transaction.js';
import { ofStep, opened, returning, type WishedEnd } from './wished.end.js';

/** A retry begins beside an earlier attempt that has not ended by then. */
const longestWaitForStragglerMs = 60_000;

/**
 * One attempt in this process: begins at once, or when an earlier one that was given up has ended, and ends exactly once, by itself or `abortGraceMs` after the abort. A
 * handler that ignores its signal goes on, but nobody waits for it; what it does to its run by then is refused by the fence.
 *
 * There are thousands of these a second: what only some need, such as a signal, a timer, a transaction or a promise, is made when it is needed.
 */
export class RunningRun implements SteppingAttempt {
  /** The first reason to abort; null: none. */
  abortCause: AbortCause | null = null;
  /** Null: it ends with what it returns. */
  wish: WishedEnd | null = null;
  /** What its handler writes; null: it was not called. */
  logged: AttemptLog | null = null;
  /** Null: it is not traced, or has not begun. */
  trace: AttemptTrace | null = null;
  /** Resolves when all that it has logged is written; null: it has logged nothing. */
  logWritten: Promise<void> | null = null;
  private progress: AttemptProgress | null = null;
  private controller: AbortController | null = null;
  private transaction: VerdictTransaction | null = null;
  private durable: AttemptSteps | null = null;
  private awaited: AwaitedWork | null = null;
  private suspended: { promise: Promise<void>; resolve: () => void } | null = null;
  private cancelTimer: CancelTimer | null = null;
  private cancelGrace: CancelTimer | null = null;
  /** `concluded`: it has returned or thrown, and what it has not waited for goes on. */
  private handler: 'waits' | 'runs' | 'concluded' | 'ended' = 'waits';
  private ended = false;
  /** Made by the first that waits for it. */
  private handlerEnd: { over: Promise<void>; tell: () => void } | null = null;

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
    return this.transaction === null ? null : this.transaction.committed;
  }

  /** See `RunContext.open`. */
  open(options?: OpenOptions): void {
    const deadline = deadlineOf(options);
    this.throwIfSettled();
    this.wish = opened(this.wish, deadline);
  }

  /** See `RunContext.progress`. */
  report(fraction: number, details: object | undefined): void {
    this.progress ??= new AttemptProgress(this.run, this.parts.progresses);
    if (this.ended) this.progress.end();
    this.progress.report(fraction, details);
  }

  /** See `StepContext.skip` and `StepContext.addSteps`. `ask`: of what it adds, see `CheckedSteps`. */
  endStep(by: string, more: StepEnd, ask: CheckedSteps['ask'] = null): void {
    this.throwIfSettled();
    this.wish = ofStep(this.wish, by, more, ask === null ? null : () => this.lookFor(ask));
  }

  private async lookFor(ask: NonNullable<CheckedSteps['ask']>): Promise<void> {
    const error = await this.parts.insist('look for handlers', ask, () => this.isOwner);
    if (error !== null) throw error;
  }

  /** Made by the first that asks for it: few have any. */
  get steps(): AttemptSteps {
    return (this.durable ??= new AttemptSteps(this, this.parts));
  }

  get isAborted(): boolean {
    return this.abortCause !== null;
  }

  get isOwner(): boolean {
    return !this.ended && this.abortCause !== 'lease-lost';
  }

  get isTransacting(): boolean {
    return this.transaction?.isUnderWay === true;
  }

  throwIfAborted(): void {
    if (this.isAborted) this.signal.throwIfAborted();
    this.throwIfSettled();
  }

  /** Work that is a durable step. */
  stepped<A extends unknown[], T>(name: string, work: (...args: A) => T): (...args: A) => T {
    if (this.trace === null || typeof work !== 'function') return work;
    return (...args) => this.parts.tracing.step(name, () => work(...args));
  }

  given<T>(work: Promise<T>, kind: WorkKind): Promise<T> {
    return (this.awaited ??= new AwaitedWork()).given(work, kind);
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

  /** It was open until its deadline, and is not called again. */
  expire(): void {
    this.end({ kind: 'expired' });
  }

  /** See `RunContext.transaction`. */
  transact<T>(work: TransactionWork<T>, options?: AnyTransactionOptions): Promise<T> {
    if (this.transaction === null) {
      const conclude = (value: unknown): Settlement => this.parts.conclude(this, this.endingIn(value));
      this.transaction = new VerdictTransaction(this.parts.storage, this, conclude);
      if (this.ended) this.transaction.end();
    }
    return this.given(this.transaction.perform(work, options), 'ends');
  }

  /** Resolves when the handler itself has ended, or was never called; never rejects. */
  untilHandlerEnded(): Promise<void> {
    if (this.handler !== 'runs' && this.handler !== 'concluded') return Promise.resolve();
    if (this.handlerEnd === null) {
      let tell!: () => void;
      const over = new Promise<void>((resolve) => (tell = resolve));
      this.handlerEnd = { over, tell };
    }
    return this.handlerEnd.over;
  }

  private call(): void {
    this.handler = 'runs';
    const timeoutMs = policyOf(this.run.policies, 'timeoutMs');
    if (timeoutMs !== null) {
      this.cancelTimer = this.parts.clock.setTimer(timeoutMs, () => this.abort('timeout'));
    }
    this.trace = this.parts.tracing.begin(this.run, this.startedAt);
    if (this.trace === null) callHandler(this, this.parts);
    else this.trace.run(() => callHandler(this, this.parts));
  }

  /** By its handler, and by what that has left to be worked off. */
  returned(value: unknown): void {
    // As nearly always: nothing is made for what most do not have.
    if (this.awaited === null) return this.onceKnown(this.wish?.ending ?? returning(this.wish, value));
    this.handler = 'concluded';
    const returned = (): void => {
      const retryAt = this.awaited!.hasUnheardAsleep ? this.durable!.wakesAt : null;
      const ending: Ending =
        retryAt === null ? returning(this.wish, value) : { kind: 'suspended', until: retryAt };
      this.unlessUnheard(this.wish?.ending ?? ending);
    };
    this.afterSteps(returned, (error) => this.handlerEnded({ kind: 'threw', error }));
  }

  private endingIn(value: unknown): Ending {
    const ending = this.wish?.ending;
    return ending?.kind === 'opened' ? ending : returning(this.wish, value);
  }

  /** By its handler. */
  threw(error: unknown): void {
    this.handler = 'concluded';
    const threw = (): void => this.handlerEnded({ kind: 'threw', error });
    this.afterSteps(threw, threw);
  }

  /** What a handler has not waited for is done by then, and kept. */
  private afterSteps(over: () => void, failed: (error: unknown) => void): void {
    if (this.durable === null) return this.afterTransaction(over, failed);
    this.durable.whenIdle(() => this.afterTransaction(over, failed));
  }

  /** What has failed without the handler waiting for it has failed its attempt. */
  private unlessUnheard(ending: Ending): void {
    this.awaited!.whenOver(() => {
      const unheard = this.awaited!.unheard;
      if (unheard === null) this.onceKnown(ending);
      else this.handlerEnded({ kind: 'threw', error: unheard.error });
    });
  }

  /** What it adds to its workflow has handlers that somebody has, or it has failed. */
  private onceKnown(ending: Ending): void {
    const known = this.wish === null ? null : this.wish.known;
    if (known === null || ending.kind !== 'returned' || this.committed !== null)
      return this.handlerEnded(ending);
    this.handler = 'concluded';
    known.then(
      () => this.handlerEnded(ending),
      (error: unknown) => this.handlerEnded({ kind: 'threw', error }),
    );
  }

  /** The handler stays where it is, and is never heard of again; what stands around it goes on as if it had returned. */
  suspend(until: EpochMs): void {
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

  private afterTransaction(over: () => void, failed: (error: unknown) => void): void {
    if (this.transaction === null) return over();
    this.transaction.whenOver(over, failed);
  }

  private throwIfSettled(): void {
    if (this.ended || this.committed !== null) throw new RunSettledError(this.run.id);
  }

  private handlerEnded(ending: Ending): void {
    this.handler = 'ended';
    this.handlerEnd?.tell();
    this.end(ending);
  }

  private end(ending: Ending): void {
    if (this.ended) return;
    this.ended = true;
    this.cancelTimer?.();
    this.cancelGrace?.();
    this.transaction?.end();
    this.logged?.end();
    this.progress?.end();
    this.parts.onEnded(this, ending);
  }
}
