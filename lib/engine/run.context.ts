import type { BackoffInput } from '../model/job.options.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { RunOrigin } from '../model/run.js';
import type { StepResult } from '../model/step.result.js';
import type { DurationInput, InstantInput } from '../model/trigger.js';
import type {
  BegunTransactionOptions,
  TransactionOptions,
  TransactionWork,
} from '../ports/run.transaction.js';

/**
 * Where a handler writes, as with any LoggerService of Nest: to the logger of the process, and to the log of the run. Objects behind the message are its fields. @publicApi
 */
export interface RunLogger {
  log(message: unknown, ...more: unknown[]): void;
  warn(message: unknown, ...more: unknown[]): void;
  error(message: unknown, ...more: unknown[]): void;
  debug(message: unknown, ...more: unknown[]): void;
  verbose(message: unknown, ...more: unknown[]): void;
  fatal(message: unknown, ...more: unknown[]): void;
}

/** That of the process; a Nest Logger fits. */
export type HandlerLogger = Pick<RunLogger, 'log' | 'warn' | 'error' | 'debug'> &
  Partial<Pick<RunLogger, 'verbose' | 'fatal'>>;

/** @publicApi */
export interface OpenOptions {
  /**
   * How long the run may stay open after the handler's return: milliseconds, or text such as '2d'; or until when, as a Date. Then the attempt has timed out: the run is retried where
   * its job says so, else it is `timed_out`. @default for ever
   */
  deadline?: DurationInput | Date;
}

/** @publicApi */
export interface SleepOptions {
  /** By which a later attempt finds this sleep again, as it finds a step: unique among the steps and sleeps of the run. @default its number among those without one, as the handler comes to them */
  name?: string;
}

/** @publicApi */
export interface WaitForOptions {
  /** How long to wait, counted from the first time that an attempt comes here: milliseconds, or text such as '2d'. Then it rejects with SignalTimeoutError. @default for ever */
  timeout?: DurationInput;
  /** By which a later attempt finds this wait again, as it finds a step: unique among the steps, sleeps and waits of the run. @default the name of the signal and its number among the waits for it, as the handler comes to them */
  as?: string;
}

/**
 * How a step is tried again by itself, by the names that jobs have for it. @publicApi
 */
export interface DurableStepOptions {
  /** How often it is tried again after it has thrown, before that fails the attempt. These are no attempts of the run, and their count survives the end of the process; one that dies in the step counts as none. @default 0 */
  maxRetries?: number;
  /** The delay before each, as of a job. A second and less is waited for where the handler is; for more the attempt ends, as with `sleep`. @default exponential from 1 s, capped at 1 h, with jitter */
  backoff?: BackoffInput;
  /** Whether to try again after this error. @default every error is worth a retry */
  retryIf?: (error: unknown) => boolean;
  /**
   * How long each try may take: milliseconds, or text such as '30s'. Then its signal fires; when it has not ended within the grace time (`abortGraceMs`) it is not waited for any more, though it may go on. It has failed with StepTimeoutError.
   * @default that of the attempt
   */
  timeout?: DurationInput;
}

/** What the work of a step is told. @publicApi */
export interface DurableStepTry {
  /** Fires when the time of the step is over, and when the signal of the attempt does; `signal.reason` tells. */
  readonly signal: AbortSignal;
  /** 0 at the first try; the how manieth retry of the step's own it is. */
  readonly retry: number;
}

/** What a handler is told about the run it executes. @publicApi */
export interface RunContext<P = JsonValue> {
  /** The job as it was when this attempt was claimed. */
  readonly job: {
    readonly id: string;
    readonly name: string | null;
    readonly namespace: string;
    readonly handler: string;
    readonly queue: string;
    readonly priority: number;
    readonly timeZone: string;
    readonly metadata: JsonObject;
  };
  /** Unique for ever; the same in every attempt: good as an idempotency key. */
  readonly runId: string;
  readonly payload: P;
  /** The instant that the trigger names; the start may be later. */
  readonly nominalAt: Date;
  readonly origin: RunOrigin;
  /** From 1. */
  readonly attempt: number;
  /** How many earlier instants, missed in a downtime, this run stands for. */
  readonly missed: number;
  /** The W3C `traceparent` to hand on to what does not know of the trace: of this attempt where it is traced, else of the trace in which the run was asked for; null: there is none. */
  readonly traceParent: string | null;
  /**
   * Fires on timeout, cancel, shutdown after the deadline, and when the lease was lost; `signal.reason` tells. What a listener of it throws, or rejects with, becomes the event
   * `listener.failed`. Of a signal that is made from it (`AbortSignal.any([signal, …])`) the platform makes an uncaught exception, which ends the process: catch within such a
   * listener what may throw.
   */
  readonly signal: AbortSignal;
  /**
   * Tells the logger of the process, and the log of the run, which `scheduler.getRunLog()` and `chronis runs log` read: of each run the first 500 and the last 500 lines within 256 KiB, each of 4 KiB at most, without passwords. Lines are
   * written beside, within a second and before the verdict is told. What comes once the attempt has its outcome is told to the process only.
   */
  readonly logger: RunLogger;
  /** A line of that log with fields, which are kept as JSON: `context.log('charged', { amount, currency })`. Never throws. */
  readonly log: (message: unknown, fields?: object) => void;
  /**
   * Tells how far the run is, from 0 to 1, with an object of up to 4 KiB as JSON if there is more to say; it replaces what was told before. `scheduler.getRuns()`, `chronis runs show` and the REST API show it with the run, the event
   * `run.progress` tells of it. May be called as often as you like: what was told last is written beside, within a second and for all runs of the process in one call. It goes with the run. What an attempt tells after it has lost its
   * run, or once it has its outcome, is passed over. Throws InvalidOptionError.
   *
   * @example
   * ctx.progress(done / total, { rows: done });
   */
  readonly progress: (fraction: number, details?: object) => void;
  /**
   * Has the run executed again after this delay, counted from the handler's return: milliseconds, or text such as '5m'; 0: at once. Does not
   * end the handler: return after it. The attempt does not count against the retries, and is on record as `snoozed`. Throws InvalidScheduleError.
   */
  snooze(delay: DurationInput): void;
  /**
   * Leaves the run open when the handler returns, whatever that returns: it has no verdict until `scheduler.complete(runId, result)` or `scheduler.fail(runId, error)`, of any process, or until
   * its deadline. It takes no place of a worker meanwhile, and holds overlap. Does not end the handler: return after it. Of `snooze` and `open` the last call counts; what throws
   * has failed all the same. Within `transaction` the run is opened by its commit, and not if it rolls back. Throws InvalidScheduleError (deadline), InvalidOptionError, RunSettledError.
   *
   * @example
   * await bank.order(ctx.payload, { reference: ctx.runId });
   * return ctx.open({ deadline: '2d' });
   */
  readonly open: (options?: OpenOptions) => void;
  /**
   * Runs `work` once in the life of the run: its end is kept with what it returned, and an attempt after a crash, a deploy or a retry has that result instead of running it again. What it throws fails the attempt, as
   * long as the handler does not catch it, also where nobody waits for it; it is run again then. It may be run more than once where the process dies before its end is kept: make the effect idempotent by `runId` and the name.
   * The name is unique in the run. Steps may run in parallel; each attempt has to come to the same steps in the same order. With `maxRetries` the step is tried again by itself before it throws.
   *
   * Resolves with the result as JSON has it (a Date is text), up to 1 MiB. Rejects with what `work` throws, StepTimeoutError, InvalidOptionError (name), DurableStepMismatchError, StepResultError, ClaimLostError;
   * before `work` is called, with the reason of the signal once that has fired, and with RunSettledError once the attempt has its outcome, as by the commit of `transaction`.
   *
   * @example
   * const payment = await ctx.step('charge', () => bank.charge(ctx.payload, { idempotencyKey: `${ctx.runId} charge` }));
   * await ctx.sleep('3 days');
   * await ctx.step('remind', () => mail.remind(payment.id));
   */
  readonly step: RunSteps;
  /**
   * Goes on after this delay, counted from the first time that an attempt comes here: milliseconds, or text such as '3 days'; 0: at once. The attempt ends meanwhile, on record as `snoozed`, and takes no place of a worker; a later one
   * runs the handler from its beginning, which passes over the steps that have ended. Restarts and deploys change nothing about it. Never resolves where the attempt ends: what comes after it, `finally` included, is done by the
   * attempt that goes on. Rejects with InvalidScheduleError, with InvalidOptionError within a step or a transaction and beside another sleep where neither has a name, and like `step`.
   */
  readonly sleep: (delay: DurationInput, options?: SleepOptions) => Promise<void>;
  /** The same until a given time, which is that of the first attempt that comes here. Rejects as `sleep` does. */
  readonly sleepUntil: (at: InstantInput, options?: SleepOptions) => Promise<void>;
  /**
   * Waits for `scheduler.signal(runId, name, payload)`, and resolves with its payload (null: it had none). Each wait takes one signal of the name, the oldest, also one that was sent before the handler came here; what it took is on record,
   * so that later attempts have it. Where there is none the attempt ends meanwhile, as with `sleep`, and takes no place of a worker; the signal makes the run due at once. When `timeout` is over without one, rejects with SignalTimeoutError, in later attempts too.
   * Rejects as `sleep` does for what is wrong.
   *
   * @example
   * const { by } = await ctx.waitFor<{ by: string }>('approved', { timeout: '2d' });
   */
  readonly waitFor: <T = JsonValue>(name: string, options?: WaitForOptions) => Promise<T>;
  /**
   * Commits what `work` writes together with the verdict of the run (`succeeded`, with the value of `work` as the result; open, after `open()`), or neither: an
   * effect that happens exactly once. At most one commits per run; nothing the handler does afterwards changes the verdict. Resolves when
   * committed. Rejects, with nothing written, with what `work` throws, ClaimLostError, RunSettledError or TransactionNotSupportedError. A handler
   * that returns without awaiting it has ended when it has, and with its error.
   *
   * @example
   * await ctx.transaction((manager) => manager.insert(Invoice, { order: ctx.payload.order }));
   */
  readonly transaction: RunTransaction;
}

/** See `RunContext.step`. @publicApi */
export interface RunSteps {
  <T>(
    name: string,
    work: (step: DurableStepTry) => T | PromiseLike<T>,
    options?: DurableStepOptions,
  ): Promise<StepResult<T>>;
  /**
   * A step that is a transaction: commits what `work` writes together with the end of the step, or neither, so that the effect happens exactly once in the life of the run. The run goes on
   * after it. There may be many in a run, also in parallel; each has a connection of its own, so it cannot be begun within another transaction of the handler. `options` as of `RunContext.transaction`.
   *
   * Rejects like a step, and with nothing written; also with TransactionNotSupportedError. Where the answer to the commit is lost, it rejects though the step may be kept: the next attempt finds out.
   *
   * @example
   * const id = await ctx.step.transaction('invoice', async (manager) => (await manager.save(Invoice, { order })).id);
   */
  readonly transaction: StepTransaction;
}

/** See `RunSteps.transaction`. @publicApi */
export interface StepTransaction {
  <T>(name: string, work: TransactionWork<T>, options?: TransactionOptions): Promise<StepResult<T>>;
  /** In a transaction of another library, whose own object the work gets. */
  <T, M>(
    name: string,
    work: (manager: M) => T | Promise<T>,
    options: BegunTransactionOptions<M>,
  ): Promise<StepResult<T>>;
}

/** See `RunContext.transaction`. @publicApi */
export interface RunTransaction {
  <T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T>;
  /** In a transaction of another library, whose own object the work gets. */
  <T, M>(work: (manager: M) => T | Promise<T>, options: BegunTransactionOptions<M>): Promise<T>;
}

/**
 * The code of a job. What it returns is kept as the result if it is JSON, of an Observable or a generator the last value, to whose end it is run; what it throws fails the
 * attempt. @publicApi
 */
export type HandlerFunction<P = never> = (context: RunContext<P>) => unknown;
