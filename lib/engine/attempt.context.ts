import type { JsonValue } from '../model/json.js';
import type { StepResult } from '../model/step.result.js';
import type { DurationInput } from '../model/trigger.js';
import type { NewFlow } from '../ports/flows.js';
import type { AnyTransactionOptions, TransactionWork } from '../ports/run.transaction.js';
import type { AttemptLog } from './attempt.log.js';
import type {
  OpenOptions,
  RunContext,
  RunLogger,
  RunTransaction,
  DurableStepOptions,
  DurableStepTry,
  WaitForOptions,
} from './run.context.js';
import type { RunningRun } from './running.run.js';
import { attemptTraceParent } from './tracing.js';
import { openedAsFlow, snoozed } from './wished.end.js';

/**
 * The RunContext of one attempt. All that it has, but for steps and progress, is its own and enumerable, so that it may be spread and destructured; the signal, the
 * only costly part, which few handlers look at, is made when it is read.
 */
export class AttemptContext implements RunContext {
  readonly job: RunContext['job'];
  readonly runId: string;
  readonly payload: JsonValue;
  readonly nominalAt: Date;
  readonly origin: RunContext['origin'];
  readonly attempt: number;
  readonly missed: number;
  readonly traceParent: string | null;
  declare readonly signal: AbortSignal;
  readonly logger: RunLogger;
  readonly log: RunContext['log'];
  readonly snooze: (delay: DurationInput) => void;
  readonly open: (options?: OpenOptions) => void;
  readonly transaction: RunTransaction;
  readonly #running: RunningRun;

  constructor(running: RunningRun, logger: AttemptLog, payload: unknown) {
    const { run } = running;
    this.#running = running;
    this.job = {
      id: run.jobId,
      name: run.jobName,
      namespace: run.namespace,
      handler: run.handler,
      queue: run.queue,
      priority: run.priority,
      timeZone: run.timeZone,
      metadata: run.metadata,
    };
    this.runId = run.id;
    this.payload = payload as JsonValue;
    this.nominalAt = new Date(run.nominalAt);
    this.origin = run.origin;
    this.attempt = run.attempt;
    this.missed = run.missed;
    this.traceParent = attemptTraceParent(run, running.trace);
    Object.defineProperty(this, 'signal', lazySignal);
    this.logger = logger;
    this.log = (message, fields) => logger.note(message, fields ?? null);
    this.snooze = (delay) => void (running.wish = snoozed(running.wish, delay));
    this.open = (options) => running.open(options);
    this.transaction = <T>(work: TransactionWork<T>, options?: object) =>
      running.transact(work, options as AnyTransactionOptions);
  }

  // Few handlers have steps, or report: these are made when they are read, for those who destructure the context; a copy by spreading lacks them.

  get progress(): RunContext['progress'] {
    const running = this.#running;
    return (fraction, details) => running.report(fraction, details);
  }

  get step(): RunContext['step'] {
    const running = this.#running;
    const step = <T>(
      name: string,
      work: (step: DurableStepTry) => T | PromiseLike<T>,
      options?: DurableStepOptions,
    ) => running.steps.step(name, running.stepped(name, work), options) as Promise<StepResult<T>>;
    const transaction = <T>(name: string, work: TransactionWork<T>, options?: object) =>
      running.steps.transaction(
        name,
        running.stepped(name, work),
        options as AnyTransactionOptions,
      ) as Promise<StepResult<T>>;
    return Object.assign(step, { transaction });
  }

  get sleep(): RunContext['sleep'] {
    const running = this.#running;
    return (delay, options) => running.steps.sleep(delay, options);
  }

  get sleepUntil(): RunContext['sleepUntil'] {
    const running = this.#running;
    return (at, options) => running.steps.sleepUntil(at, options);
  }

  /** See `openedAsFlow`. */
  static openFlow(context: AttemptContext, flow: NewFlow, timeoutMs: number | null): void {
    const running = context.#running;
    running.wish = openedAsFlow(running.wish, running.run, flow, timeoutMs);
  }

  get waitFor(): RunContext['waitFor'] {
    const running = this.#running;
    return <T>(signal: string, options?: WaitForOptions) =>
      running.steps.waitFor(signal, options) as Promise<T>;
  }

  /** See `RunningRun.suspension`. */
  static suspensionOf(context: AttemptContext): Promise<void> {
    return context.#running.suspension;
  }

  static signalOf(context: AttemptContext): AbortSignal {
    return context.#running.signal;
  }
}

// One for all, so that the engine of Node knows them as objects of one shape.
const lazySignal: PropertyDescriptor & ThisType<AttemptContext> = {
  enumerable: true,
  get() {
    return AttemptContext.signalOf(this);
  },
};
