import { RunAbortedError, type AbortCause } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type { Handler } from './handler.registry.js';
import type { RunContext, RunLogger } from './run.context.js';
import type { VerdictTransaction } from './verdict.transaction.js';

/** How a handler ended. `abandoned`: it went on after its signal and the grace time. */
export type Ending =
  | { kind: 'returned'; value: unknown }
  | { kind: 'threw'; error: unknown }
  | { kind: 'abandoned' };

/**
 * One attempt in this process: begins at once, and ends exactly once, by itself or `abortGraceMs` after the abort. A
 * handler that ignores its signal goes on, but nobody waits for it; what it does to its run by then is refused by the fence.
 */
export class RunningRun {
  /** Never rejects. */
  readonly ended: Promise<Ending>;
  /** The first reason to abort; null: none. */
  abortCause: AbortCause | null = null;
  private readonly controller = new AbortController();
  private readonly timers: (() => void)[] = [];
  private abandon!: () => void;

  constructor(
    readonly run: ClaimedRun,
    /** In the storage's time. */
    readonly startedAt: number,
    handler: Handler,
    logger: RunLogger,
    private readonly clock: Clock,
    readonly transaction: VerdictTransaction,
    private readonly limits: { timeoutMs: number | null; abortGraceMs: number },
  ) {
    const abandoned = new Promise<Ending>((resolve) => {
      this.abandon = () => resolve({ kind: 'abandoned' });
    });
    if (limits.timeoutMs !== null) {
      this.timers.push(clock.setTimer(limits.timeoutMs, () => this.abort('timeout')));
    }
    this.ended = Promise.race([this.call(handler, logger), abandoned]).finally(() => {
      for (const cancel of this.timers) cancel();
      this.transaction.end();
    });
  }

  /** Fires the handler's signal; only the first reason counts. */
  abort(cause: AbortCause): void {
    if (this.abortCause !== null) return;
    this.abortCause = cause;
    this.timers.push(this.clock.setTimer(this.limits.abortGraceMs, this.abandon));
    this.controller.abort(new RunAbortedError(cause));
  }

  private async call(handler: Handler, logger: RunLogger): Promise<Ending> {
    try {
      return { kind: 'returned', value: await handler.run(this.context(logger)) };
    } catch (error) {
      return { kind: 'threw', error };
    }
  }

  private context(logger: RunLogger): RunContext {
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
      payload: run.payload,
      nominalAt: new Date(run.nominalAt),
      origin: run.origin,
      attempt: run.attempt,
      missed: run.missed,
      signal,
      logger,
      transaction: (work, options) => this.transaction.perform(work, signal, options),
    };
  }
}
