import { PayloadMismatchError, RunAbortedError, type AbortCause } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import { parseDuration } from '../triggers/duration.js';
import type { Handler } from './handler.registry.js';
import { checkPayload } from './payload.check.js';
import type { RunContext, RunLogger } from './run.context.js';
import type { VerdictTransaction } from './verdict.transaction.js';

/** How a handler ended. `snoozed`: it returned, and wants to be called again later · `abandoned`: it went on after its signal and the grace time. */
export type Ending =
  | { kind: 'returned'; value: unknown }
  | { kind: 'snoozed'; delayMs: number }
  | { kind: 'threw'; error: unknown }
  | { kind: 'abandoned' };

/** A retry begins beside an earlier attempt that has not ended by then. */
export const longestWaitForStragglerMs = 60_000;

/**
 * One attempt in this process: begins at once, or when an earlier one that was given up has ended, and ends exactly once, by itself or `abortGraceMs` after the abort. A
 * handler that ignores its signal goes on, but nobody waits for it; what it does to its run by then is refused by the fence.
 */
export class RunningRun {
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** When the handler itself has ended; never rejects. */
  readonly handlerEnded: Promise<void>;
  /** The first reason to abort; null: none. */
  abortCause: AbortCause | null = null;
  private readonly controller = new AbortController();
  private readonly timers: (() => void)[] = [];
  private abandon!: () => void;
  private begun = false;
  private snoozeMs: number | null = null;

  constructor(
    readonly run: ClaimedRun,
    /** In the storage's time. */
    readonly startedAt: number,
    handler: Handler,
    logger: RunLogger,
    private readonly clock: Clock,
    readonly transaction: VerdictTransaction,
    private readonly limits: { timeoutMs: number | null; abortGraceMs: number },
    /** Resolves when the earlier attempts of the run in this process have ended; null: there are none. */
    earlier: Promise<void> | null = null,
  ) {
    const abandoned = new Promise<Ending>((resolve) => {
      this.abandon = () => resolve({ kind: 'abandoned' });
    });
    const called = this.call(handler, logger, earlier);
    this.handlerEnded = called.then(() => undefined);
    this.ended = Promise.race([called, abandoned]).finally(() => {
      for (const cancel of this.timers) cancel();
      this.transaction.end();
    });
  }

  /** Fires the handler's signal; only the first reason counts. */
  abort(cause: AbortCause): void {
    if (this.abortCause !== null) return;
    this.abortCause = cause;
    if (!this.begun) return this.abandon();
    this.timers.push(this.clock.setTimer(this.limits.abortGraceMs, this.abandon));
    this.controller.abort(new RunAbortedError(cause));
  }

  private async call(handler: Handler, logger: RunLogger, earlier: Promise<void> | null): Promise<Ending> {
    if (earlier !== null) {
      await Promise.race([earlier, this.longestWait()]);
      if (this.abortCause !== null) return { kind: 'abandoned' };
    }
    this.begun = true;
    const { timeoutMs } = this.limits;
    if (timeoutMs !== null) this.timers.push(this.clock.setTimer(timeoutMs, () => this.abort('timeout')));
    try {
      const payload = handler.schema === null ? this.run.payload : await this.accepted(handler);
      const value = await handler.run(this.context(logger, payload));
      return this.snoozeMs === null
        ? { kind: 'returned', value }
        : { kind: 'snoozed', delayMs: this.snoozeMs };
    } catch (error) {
      return { kind: 'threw', error };
    }
  }

  /** The payload as the schema of the handler gives it; what was right when the job was made may be wrong for the code of today. */
  private async accepted({ name, schema }: Handler): Promise<unknown> {
    const checked = await checkPayload(schema!, this.run.payload);
    this.controller.signal.throwIfAborted();
    if (checked.issues === null) return checked.value;
    throw new PayloadMismatchError(this.run.jobId, name, checked.issues);
  }

  private longestWait(): Promise<void> {
    return new Promise((resolve) => {
      this.timers.push(this.clock.setTimer(longestWaitForStragglerMs, resolve));
    });
  }

  private context(logger: RunLogger, payload: unknown): RunContext {
    const { run } = this;
    const { signal } = this.controller;
    return {
      job: {
        id: run.jobId,
        name: run.jobName,
        namespace: run.namespace,
        handler: run.handler,
        queue: run.queue,
        priority: run.priority,
        timeZone: run.timeZone,
        metadata: run.metadata,
      },
      runId: run.id,
      payload: payload as JsonValue,
      nominalAt: new Date(run.nominalAt),
      origin: run.origin,
      attempt: run.attempt,
      missed: run.missed,
      signal,
      logger,
      snooze: (delay) => void (this.snoozeMs = delay === 0 ? 0 : parseDuration(delay, 'delay')),
      transaction: (work, options) => this.transaction.perform(work, signal, options),
    };
  }
}
