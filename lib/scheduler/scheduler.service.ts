import type { Engine } from '../engine/engine.js';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { HandlerFunction, RunContext } from '../engine/run.context.js';
import { JobNotFoundError, RunNotFoundError } from '../model/errors.js';
import type { Job, JobRef, Page } from '../model/job.js';
import type { PauseScope, ScopePause } from '../model/pause.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { PayloadOutput, PayloadSchema } from '../model/payload.schema.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { Attempt, Gap, Run } from '../model/run.js';
import type {
  AttemptFilter,
  GapFilter,
  PageRequest,
  RunFilter,
  StorageAdapter,
} from '../ports/storage.adapter.js';
import type {
  CreateCronJob,
  CreateDateJob,
  CreateIntervalJob,
  CreateJob,
  HandlerChange,
  UpdateJob,
} from './create.options.js';
import type { BulkCreator } from './bulk.creator.js';
import type { BulkOptions, BulkResult, DeadLetters } from './dead.letters.js';
import type { Calendars } from '../model/trigger.js';
import type { DefinedJob } from './define.job.js';
import { schemaOf, type ByHandler, type ForHandler, type HandlerReference } from './handler.reference.js';
import type { JobCreator } from './job.creator.js';
import { jobRef, type NamespaceOption } from './job.identity.js';
import { filterAndPage, jobFilter, pageOf, type JobQuery } from './job.query.js';
import type { JobUpdater } from './job.updater.js';
import { handlerName } from './names.js';
import { lineOfText } from './option.checks.js';
import { pauseOf, type PauseOptions, type Pauses } from './pauses.js';
import { planResume } from './resume.plan.js';
import { runFilter, type FailedRunFilter } from './run.query.js';
import type {
  CreateManyOptions,
  CreateManyResult,
  ScheduledJob,
  ScheduleFor,
  ScheduleOptions,
  UpsertResult,
} from './schedule.options.js';
import { handlerOptionsOf } from './handler.options.js';
import type { SchedulerLifecycle } from './scheduler.lifecycle.js';

/** What the service works with. */
export interface SchedulerParts {
  storage: StorageAdapter;
  engine: Engine;
  handlers: HandlerRegistry;
  creator: JobCreator;
  bulkCreator: BulkCreator;
  updater: JobUpdater;
  deadLetters: DeadLetters;
  pauses: Pauses;
  lifecycle: SchedulerLifecycle;
  /** What exclusions may name. */
  calendars: Calendars;
}

/**
 * Jobs at run time: inject it anywhere. Every method works at any moment, also while the job runs, waits for a retry or is paused, and
 * also in a process that runs no jobs itself (`autoStart: false`). What it returns is plain data, a snapshot.
 *
 * Jobs are named by their id; those outside of the namespace `default` by `{ namespace }` as well. Invalid input is refused
 * before anything is stored: InvalidOptionError, InvalidScheduleError, InvalidPayloadError, EmptyJobIdError, InvalidJobIdError.
 * @publicApi
 */
export class SchedulerService {
  constructor(private readonly parts: SchedulerParts) {}

  // ── Handlers

  /**
   * Makes a function known as a handler in this process, also while it runs. It gets the RunContext. `options` decide about its retries and
   * the payloads that it takes. Throws DuplicateHandlerError, InvalidHandlerError (not a function).
   */
  registerHandler<P>(name: string, handler: HandlerFunction<P>, options?: RetryRules): void;
  registerHandler<S extends PayloadSchema>(
    name: string,
    handler: HandlerFunction<PayloadOutput<S>>,
    options: HandlerOptions & { schema: S },
  ): void;
  registerHandler<P, O>(job: DefinedJob<P, O>, handler: HandlerFunction<O>, rules?: RetryRules): void;
  registerHandler(
    job: string | DefinedJob<any, any>,
    handler: HandlerFunction<any>,
    options: HandlerOptions = {},
  ): void {
    const schema = schemaOf(job);
    const name = typeof job === 'string' ? job : handlerName(job);
    const owner = 'registerHandler()';
    const checked = handlerOptionsOf(schema === null ? options : { ...options, schema }, owner);
    this.parts.handlers.register(name, handler as (context: RunContext) => unknown, owner, checked);
  }

  // ── Creating

  /** A job that recurs after a fixed time. Throws JobAlreadyExistsError, HandlerNotFoundError. */
  createIntervalJob<R extends HandlerReference<any>>(options: ForHandler<CreateIntervalJob, R>): Promise<Job>;
  createIntervalJob(options: CreateIntervalJob): Promise<Job>;
  createIntervalJob(options: ByHandler<CreateIntervalJob>): Promise<Job> {
    return this.parts.creator.interval(options);
  }

  /** A job that recurs by the calendar. Throws JobAlreadyExistsError, HandlerNotFoundError. */
  createCronJob<R extends HandlerReference<any>>(options: ForHandler<CreateCronJob, R>): Promise<Job>;
  createCronJob(options: CreateCronJob): Promise<Job>;
  createCronJob(options: ByHandler<CreateCronJob>): Promise<Job> {
    return this.parts.creator.cron(options);
  }

  /**
   * A one-off, at a time or after a delay. When it has succeeded it is no job any more, unless `keep` says so; its record stays.
   * Throws JobAlreadyExistsError, HandlerNotFoundError.
   */
  createDateJob<R extends HandlerReference<any>>(options: ForHandler<CreateDateJob, R>): Promise<Job>;
  createDateJob(options: CreateDateJob): Promise<Job>;
  createDateJob(options: ByHandler<CreateDateJob>): Promise<Job> {
    return this.parts.creator.date(options);
  }

  /** A job with a trigger as data; `{ type: 'manual' }` runs by `runNow` only. Throws JobAlreadyExistsError, HandlerNotFoundError. */
  createJob<R extends HandlerReference<any>>(options: ForHandler<CreateJob, R>): Promise<Job>;
  createJob(options: CreateJob): Promise<Job>;
  createJob(options: ByHandler<CreateJob>): Promise<Job> {
    return this.parts.creator.any(options);
  }

  /**
   * A job in one line: `schedule('remind', { in: '3d', payload })`, with exactly one of `at`, `in`, `every` and `cron`. Throws
   * InvalidScheduleError (none, or several), JobAlreadyExistsError, HandlerNotFoundError.
   */
  async schedule<R extends HandlerReference<any>>(handler: R, options: ScheduleFor<R>): Promise<Job>;
  async schedule(handler: string, options: ScheduleOptions): Promise<Job>;
  async schedule(
    handler: string | HandlerReference<any>,
    options: ScheduleOptions | ScheduleFor<HandlerReference<any>>,
  ): Promise<Job> {
    return this.parts.bulkCreator.one(handler, options);
  }

  /**
   * Very many jobs at once, stored in batches. One result per item, in order: an item that is invalid, or whose id is taken under `raise`, is
   * `rejected` by itself. Not one transaction: items are stored as far as it got.
   */
  async createMany<R extends HandlerReference<any>[]>(
    items: readonly [...{ [K in keyof R]: ForHandler<ScheduledJob, R[K]> }],
    options?: CreateManyOptions,
  ): Promise<CreateManyResult[]>;
  async createMany(items: readonly ScheduledJob[], options?: CreateManyOptions): Promise<CreateManyResult[]>;
  async createMany(
    items: readonly ByHandler<ScheduledJob>[],
    options: CreateManyOptions = {},
  ): Promise<CreateManyResult[]> {
    return this.parts.bulkCreator.many(items, options);
  }

  /**
   * Creates the job, or gives the one with this id the new definition and time; its history stays. Tells which. Throws EmptyJobIdError (no
   * id), HandlerNotFoundError.
   */
  async upsert<R extends HandlerReference<any>>(job: ForHandler<ScheduledJob, R>): Promise<UpsertResult>;
  async upsert(job: ScheduledJob): Promise<UpsertResult>;
  async upsert(job: ByHandler<ScheduledJob>): Promise<UpsertResult> {
    return this.parts.bulkCreator.upsert(job);
  }

  // ── Reading

  /** null: there is no such job, or it was a one-off that is finished. */
  async getJob(id: string, options?: NamespaceOption): Promise<Job | null> {
    return this.parts.storage.getJob(jobRef(id, options));
  }

  /** Jobs that meet all conditions, by namespace and id, 100 at a time unless `limit` says otherwise (up to 1,000). */
  async queryJobs(query: JobQuery = {}): Promise<Page<Job>> {
    return this.parts.storage.queryJobs(jobFilter(query), pageOf(query));
  }

  async countJobs(query: JobQuery = {}): Promise<number> {
    return this.parts.storage.countJobs(jobFilter(query));
  }

  /**
   * Runs that are stored: those that wait, go on, or are kept. Newest first. With `state: ['failed', 'timed_out', 'lost']` the dead
   * letters: runs that gave up, of one-offs and of recurring jobs.
   */
  async getRuns(query: RunFilter & PageRequest = {}): Promise<Page<Run>> {
    return this.parts.storage.queryRuns(runFilter(query), pageOf(query));
  }

  /** The ledger: a row per attempt, newest first. */
  async getAttempts(query: AttemptFilter & PageRequest = {}): Promise<Page<Attempt>> {
    const known = ['namespace', 'jobId', 'runId', 'outcome', 'finalOnly'];
    const { filter, page } = filterAndPage(query, known, 'a query of attempts');
    return this.parts.storage.queryAttempts(filter, page);
  }

  /** Due instants that did not run, as ranges, newest first. */
  async getGaps(query: GapFilter & PageRequest = {}): Promise<Page<Gap>> {
    const { filter, page } = filterAndPage(query, ['namespace', 'jobId'], 'a query of gaps');
    return this.parts.storage.queryGaps(filter, page);
  }

  // ── Changing

  /**
   * Changes what is given and leaves the rest. A changed schedule counts from now; a changed interval keeps its anchor. A run that goes on is
   * not touched. With `expectedRevision`, throws StaleJobError when the job has changed since it was read. Throws JobNotFoundError.
   */
  async updateJob<R extends HandlerReference<any>>(
    id: string,
    changes: HandlerChange<R>,
    options?: NamespaceOption & { expectedRevision?: number },
  ): Promise<Job>;
  async updateJob(
    id: string,
    changes: UpdateJob,
    options?: NamespaceOption & { expectedRevision?: number },
  ): Promise<Job>;
  async updateJob(
    id: string,
    changes: UpdateJob | HandlerChange<HandlerReference<any>>,
    options: NamespaceOption & { expectedRevision?: number } = {},
  ): Promise<Job> {
    return this.parts.updater.update(jobRef(id, options), changes, options.expectedRevision);
  }

  /** Stops firing; what goes on may finish. A paused job stays as it was paused. Throws JobNotFoundError. */
  async pauseJob(id: string, options: NamespaceOption & PauseOptions = {}): Promise<Job> {
    return this.changed(id, options, (ref) => this.parts.storage.pauseJob(ref, pauseOf(options)));
  }

  /** Goes on with the first instant from now; what fell into the pause is on record as a gap. Throws JobNotFoundError. */
  async resumeJob(id: string, options: NamespaceOption = {}): Promise<Job> {
    return this.changed(id, options, (ref) =>
      this.parts.storage.resumeJob(ref, (job, now) =>
        planResume(ref.namespace, job, now, this.parts.calendars),
      ),
    );
  }

  /**
   * Removes the job. Runs that wait end as `cancelled`; one that goes on ends with its attempt. A job that the code declares comes back with
   * the next start of the application. Throws JobNotFoundError.
   */
  async deleteJob(id: string, options: NamespaceOption = {}): Promise<void> {
    await this.changed(id, options, async (ref) => (await this.parts.storage.deleteJob(ref)) || null);
  }

  /**
   * Ends the runs of the job: those that wait at once, those that go on by their AbortSignal. A recurring job goes on with its next
   * instant. Returns how many runs were concerned. Throws JobNotFoundError.
   */
  async cancelJob(id: string, options: NamespaceOption = {}): Promise<number> {
    const concerned = await this.changed(id, options, (ref) => this.parts.storage.cancelJob(ref));
    this.parts.engine.wake({ kind: 'cancel' });
    return concerned;
  }

  /**
   * Ends one run, from any process: `cancelled` if it waited; `requested` if it goes on: its AbortSignal fires within a second (at the next
   * beat, a third of `leaseMs`, where there is no wake signal), and what becomes of it is on record. Throws RunNotFoundError.
   */
  async cancelRun(runId: string): Promise<'cancelled' | 'requested'> {
    const answer = await this.parts.storage.cancelRun(lineOfText(runId, 'runId'));
    if (answer === null) throw new RunNotFoundError(runId);
    this.parts.engine.wake({ kind: answer === 'requested' ? 'cancel' : 'change' });
    return answer;
  }

  /**
   * A run due now, beside whatever goes on, also while the job is paused. A one-off that waits is due now instead, one that failed gets a
   * new run. Throws JobNotFoundError.
   */
  async runNow(id: string, options: NamespaceOption = {}): Promise<Run> {
    return this.changed(id, options, (ref) => this.parts.storage.runNow(ref));
  }

  // ── Pausing many at once

  /**
   * Stops a handler, a queue, a namespace or everything, in all processes: nothing of it fires or begins, not even by `runNow`, until `resume`.
   * What is running may finish. A scope that is paused already stays as it was paused.
   */
  async pause(scope: PauseScope, options: PauseOptions = {}): Promise<ScopePause> {
    return this.parts.pauses.pause(scope, options);
  }

  /**
   * Ends the pause of a scope, by the same words as it was paused. Its jobs go on with their first instant from now, and what fell into the pause is on
   * record as gaps; runs that waited begin. Pauses of single jobs and of other scopes stay. False: the scope was not paused.
   */
  async resume(scope: PauseScope): Promise<boolean> {
    return this.parts.pauses.resume(scope);
  }

  /** The scopes that are paused at present, the oldest pause first. Single jobs that are paused: `queryJobs({ state: 'paused' })`. */
  async getPauses(): Promise<ScopePause[]> {
    return this.parts.pauses.list();
  }

  // ── Runs that gave up

  /**
   * Gives a run that failed, timed out or was lost a new run, due now, with `retryOf`, the old nominal time and fresh retries. Throws
   * RunNotFoundError, RunNotFailedError.
   */
  async retryRun(runId: string): Promise<Run> {
    return this.parts.deadLetters.retry(runId);
  }

  /** Removes a run that failed, timed out or was lost, and with it the one-off that it is; its record stays. Throws RunNotFoundError, RunNotFailedError. */
  async discardRun(runId: string): Promise<void> {
    return this.parts.deadLetters.discard(runId);
  }

  /** `retryRun` for all that meet the filter; without one for all runs that gave up. Those that fail again meanwhile are not retried twice. */
  async retryFailed(filter: FailedRunFilter = {}, options: BulkOptions = {}): Promise<BulkResult> {
    return this.parts.deadLetters.retryAll(filter, options);
  }

  /** `discardRun` for all that meet the filter; without one for all runs that gave up. */
  async discardFailed(filter: FailedRunFilter = {}, options: BulkOptions = {}): Promise<BulkResult> {
    return this.parts.deadLetters.discardAll(filter, options);
  }

  // ── This process

  /** Whether this process runs jobs. */
  get running(): boolean {
    return this.parts.engine.running;
  }

  /** Begins to run jobs in this process; done at bootstrap unless `autoStart` is false. Throws SchedulerRunningError. */
  start(): Promise<void> {
    return this.parts.lifecycle.start();
  }

  /**
   * Stops claiming, waits for running handlers up to `shutdownTimeoutMs`, and hands the rest to others. Jobs can still be
   * created. Throws SchedulerStoppedError.
   */
  stop(): Promise<void> {
    return this.parts.lifecycle.stop();
  }

  /** Null from the storage means: not found. Whatever was changed, this process looks at once. */
  private async changed<T>(
    id: string,
    options: NamespaceOption,
    change: (ref: JobRef) => Promise<T | null>,
  ): Promise<T> {
    const ref = jobRef(id, options);
    const result = await change(ref);
    if (result === null) throw new JobNotFoundError(ref.id, ref.namespace);
    this.parts.engine.wake();
    return result;
  }
}
