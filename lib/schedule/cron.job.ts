import { CronError } from './cron.error.js';
import { CronTime, type CronSource } from './cron.time.js';
import type { CronDate } from './installed.types.js';

/** The `this` of callbacks: the `context` that was given, else the job. @publicApi */
export type CronContext<C> = C extends null ? CronJob : NonNullable<C>;

/** Called by `stop()`. @publicApi */
export type CronOnCompleteCallback = () => void | Promise<void>;

/** Called at each tick. @publicApi */
export type CronCallback<C = null> = (this: CronContext<C>, onComplete?: any) => unknown;

/** The same, as the `cron` package calls it, where it may be a system command as well. @publicApi */
export type CronCommand<C = null, _WithOnComplete extends boolean = boolean> = CronCallback<C>;

/** The same, as the `cron` package calls it, where it may be a system command as well. @publicApi */
export type CronOnCompleteCommand = CronOnCompleteCallback;

/** What a CronJob is made of. @publicApi */
export interface CronJobParams<OC extends CronOnCompleteCallback | null = null, C = null> {
  cronTime: CronSource;
  onTick: CronCallback<C>;
  onComplete?: OC | null;
  /** @default false */
  start?: boolean | null;
  timeZone?: string | null;
  /** @default the job */
  context?: C | null;
  /** Call `onTick` at once as well. @default false */
  runOnInit?: boolean | null;
  /** Minutes east of UTC, instead of `timeZone`. */
  utcOffset?: number | null;
  /** Let the process end while the job waits. @default false */
  unrefTimeout?: boolean | null;
  /** Leave out ticks while an earlier one goes on. @default false */
  waitForCompletion?: boolean | null;
  /** @default it is written to the console */
  errorHandler?: ((error: unknown) => void) | null;
  name?: string | null;
  /** How many milliseconds late a tick may be. @default 250 */
  threshold?: number | null;
}

/** The longest delay of a timer; anything above fires at once. */
const longestDelayMs = 2 ** 31 - 1;

/**
 * A job on a timer of this process, with the surface of the CronJob of the `cron` package: what `SchedulerRegistry.getCronJob()` gives, and what can be
 * made and added by hand. It is idle until `start()`. @publicApi
 */
export class CronJob<OC extends CronOnCompleteCallback | null = null, C = null> {
  cronTime: CronTime;
  /** Whether it stops by itself after the next tick. */
  runOnce: boolean;
  lastExecution: Date | null = null;
  context: CronContext<C>;
  onComplete?: CronOnCompleteCallback;
  unrefTimeout: boolean;
  waitForCompletion: boolean;
  errorHandler?: ((error: unknown) => void) | null;
  name?: string;
  threshold: number;
  protected readonly callbacks: CronCallback<C>[] = [];
  private started = false;
  private calling = false;
  private readonly waiting: (() => void)[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Throws an error for what CronTime refuses, and for an `onTick` that is not a function. */
  constructor(
    cronTime: CronSource,
    onTick: CronCallback<C>,
    onComplete?: OC | null,
    start?: boolean | null,
    timeZone?: string | null,
    context?: C | null,
    runOnInit?: boolean | null,
    utcOffset?: number | null,
    unrefTimeout?: boolean | null,
    waitForCompletion?: boolean | null,
    errorHandler?: CronJobParams['errorHandler'],
    name?: string | null,
    threshold?: number | null,
  ) {
    this.context = (context ?? this) as CronContext<C>;
    this.cronTime = new CronTime(cronTime, timeZone, utcOffset);
    this.runOnce = this.cronTime.realDate;
    this.unrefTimeout = unrefTimeout ?? false;
    this.waitForCompletion = Boolean(waitForCompletion);
    this.threshold = Math.abs(threshold ?? 250);
    if (onComplete) this.onComplete = onComplete;
    if (errorHandler) this.errorHandler = errorHandler;
    if (name !== undefined && name !== null) this.name = name;
    if (typeof onTick !== 'function') {
      throw new CronError(
        'onTick must be a function. System commands are not run: spawn them in a function.',
      );
    }
    this.addCallback(onTick);
    if (runOnInit) this.tick();
    if (start) void this.start();
  }

  /** Throws like the constructor. */
  static from<OC extends CronOnCompleteCallback | null = null, C = null>(
    params: CronJobParams<OC, C>,
  ): CronJob<OC, C> {
    const { cronTime, onTick, onComplete, start, timeZone, context, runOnInit, utcOffset } = params;
    const { unrefTimeout, waitForCompletion, errorHandler, name, threshold } = params;
    return new CronJob(
      ...([cronTime, onTick, onComplete, start, timeZone, context, runOnInit, utcOffset] as const),
      ...([unrefTimeout, waitForCompletion, errorHandler, name, threshold] as const),
    );
  }

  /** Whether it waits for its next tick. */
  get isActive(): boolean {
    return this.started;
  }

  /** The same, as it was called in version 3 of the `cron` package, thus in @nestjs/schedule 5 and before. */
  get running(): boolean {
    return this.isActive;
  }

  get isCallbackRunning(): boolean {
    return this.calling;
  }

  /** Called at each tick after those that are there. */
  addCallback(callback: CronCallback<C>): void {
    if (typeof callback === 'function') this.callbacks.push(callback);
  }

  /** Another schedule; a job that waits goes on waiting by it. Takes a CronTime, this one's or the `cron` package's. */
  setTime(time: CronTime): void | Promise<void> {
    if (typeof time?.sendAt !== 'function' || typeof time.getTimeout !== 'function') {
      throw new CronError('time must be an instance of CronTime.');
    }
    const wasActive = this.isActive;
    void this.stop();
    this.cronTime = time;
    if (time.realDate) this.runOnce = true;
    if (wasActive) void this.start();
  }

  nextDate(): CronDate {
    return this.cronTime.sendAt();
  }

  /** The next `count` instants. */
  nextDates(count = 0): CronDate[] {
    return this.cronTime.sendAt(count);
  }

  /** When the last tick was; null: there was none. */
  lastDate(): Date | null {
    return this.lastExecution;
  }

  /** Throws an error when there is no next instant. */
  start(): void | Promise<void> {
    if (this.started) return;
    this.started = true;
    const waitMs = this.cronTime.getTimeout();
    if (waitMs < 0) this.beLate(-waitMs);
    this.sleepUntil(Date.now() + (waitMs < 0 ? this.cronTime.getTimeout() : waitMs));
  }

  /** Also calls `onComplete`. With `waitForCompletion` resolves when the tick that goes on has ended. */
  stop(): void | Promise<void> {
    clearTimeout(this.timer);
    this.started = false;
    if (!this.waitForCompletion) return void this.complete();
    return this.called().then(() => this.complete());
  }

  /** Calls the callbacks now. What they throw goes to `errorHandler`. */
  async fireOnTick(): Promise<void> {
    if (this.waitForCompletion && this.calling) return;
    this.calling = true;
    try {
      for (const callback of this.callbacks) {
        const result = callback.call(this.context, this.onComplete) as Promise<unknown> | undefined;
        if (typeof result !== 'object' || result === null || typeof result.then !== 'function') continue;
        if (this.waitForCompletion) await result;
        else result.then(undefined, (error: unknown) => this.tell(error));
      }
    } catch (error) {
      this.tell(error);
    } finally {
      this.calling = false;
      for (const resolve of this.waiting.splice(0)) resolve();
    }
  }

  /** Resolves when no callback goes on. */
  private called(): Promise<void> {
    return new Promise((resolve) => (this.calling ? this.waiting.push(resolve) : resolve()));
  }

  private tell(error: unknown): void {
    if (this.errorHandler) this.errorHandler(error);
    else console.error('[Cron] error in callback', error);
  }

  private async complete(): Promise<void> {
    try {
      await this.onComplete?.call(this.context);
    } catch (error) {
      console.error('[Cron] error in onComplete callback:', error);
    }
  }

  /** The instant passed between two looks at the clock. */
  private beLate(byMs: number): void {
    const label = this.name ? ` "${this.name}"` : '';
    const missed = `[Cron] Missed execution deadline by ${byMs}ms for job${label} with cron expression '${String(this.cronTime.source)}'`;
    if (byMs <= this.threshold) {
      console.warn(`${missed}. Executing immediately.`);
      this.tick();
    } else {
      console.warn(`${missed}. Skipping execution as it exceeds threshold (${this.threshold}ms).`);
    }
  }

  private sleepUntil(at: number): void {
    const delayMs = Math.min(Math.max(at - Date.now(), 1), longestDelayMs);
    this.timer = setTimeout(() => this.wake(at), delayMs);
    if (this.unrefTimeout) this.timer.unref?.();
  }

  private wake(at: number): void {
    const earlyMs = at - Date.now();
    // Timers may fire a little early, and the clock may have been set back: then the next instant may be an earlier one.
    if (earlyMs > 0) return this.sleepUntil(Date.now() + Math.min(earlyMs, this.cronTime.getTimeout()));
    this.started = false;
    if (!this.runOnce) void this.start();
    this.tick();
  }

  private tick(): void {
    this.lastExecution = new Date();
    void this.fireOnTick();
  }
}
