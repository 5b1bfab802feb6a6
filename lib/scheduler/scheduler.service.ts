import { randomUUID } from 'node:crypto';
import type { Engine } from '../engine/engine.js';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import type { HandlerFunction, RunContext } from '../engine/run.context.js';
import type { Actor, AuditEntry } from '../model/audit.js';
import type { FailureReport } from '../model/failure.js';
import type { Job, JobRef, Page } from '../model/job.js';
import type { DurableStep } from '../model/durable.step.js';
import type { JsonValue } from '../model/json.js';
import type { OverdueJob } from '../model/overdue.js';
import type { PauseScope, ScopePause } from '../model/pause.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { PayloadOutput, PayloadSchema } from '../model/payload.schema.js';
import type { Retention } from '../model/retention.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { TaskOption } from '../model/task.js';
import {
  requestedRun,
  type Attempt,
  type Gap,
  type ListedRun,
  type RequestedRun,
  type Run,
} from '../model/run.js';
import type { JoinableTransaction } from '../ports/run.transaction.js';
import type { AttemptFilter, GapFilter, PageRequest, StorageAdapter } from '../ports/storage.adapter.js';
import type {
  CreateCronJob,
  CreateDateJob,
  CreateIntervalJob,
  CreateJob,
  ScheduledJob,
  ScheduleOptions,
  UpdateJob,
} from './create.options.js';
import { auditFilter, manyCall, readAudit, type AuditQuery } from './audit.query.js';
import type { AuditedCall } from './audited.store.js';
import { backfillJob, backfillKeys, type BackfillOptions, type BackfillResult } from './job.backfill.js';
import type { BulkChanges, ManyFilter, ManyOptions, ManyResult } from './bulk.changes.js';
import type { BulkCreator } from './bulk.creator.js';
import type { BulkOptions, RetryOptions, BulkResult, DeadLetters } from './dead.letters.js';
import type { DefinedJob } from './define.job.js';
import { readOverdue, type OverdueQuery } from './overdue.query.js';
import { schemaOf, type HandlerInput, type HandlerReference } from './handler.reference.js';
import type { Calendars, InstantInput } from '../model/trigger.js';
import { coverageKeys, type Coverage, type CoverageOptions } from './coverage.js';
import { coverJob } from './covering.js';
import { explainInstant } from './explaining.js';
import { readFailures, type FailureQuery } from './failures.js';
import type { Explanation } from './explanation.js';
import { forecastKeys, type Forecast, type ForecastOptions } from './forecast.js';
import { forecastJobs } from './forecasting.js';
import type { JobAccess, ManagerOption } from './job.access.js';
import type { JobCreator } from './job.creator.js';
import { jobRef, type NamespaceOption } from './job.identity.js';
import { jobFilter, jobPageOf, pageOf, type JobQuery } from './job.query.js';
import { previewKeys, previewOf, type PreviewOptions } from './job.preview.js';
import type { HandlerWithdrawals } from './handler.withdrawals.js';
import { updateOptionKeys, type JobUpdater, type UpdateOptions } from './job.updater.js';
import { missingJob } from './missing.job.js';
import { handlerName } from './names.js';
import { knownOptions, lineOfText, managerHint } from './option.checks.js';
import type { RunSignals } from './run.signals.js';
import { notGoingOn, type FailedOpenRun, type OpenRunOptions, type OpenRuns } from './open.runs.js';
import { pauseKeys, type PauseOptions, type PauseOrders } from './pause.orders.js';
import type { Pauses } from './pauses.js';
import { isResumedFromNow, planResume, resumeKeys, type ResumeOptions } from './resume.plan.js';
import {
  attemptFilter,
  gapFilter,
  listRuns,
  runFilter,
  type FailedRunFilter,
  type RunConditions,
} from './run.query.js';
import type { HealthCheck, HealthOptions, SchedulerHealth, SchedulerStatus } from './scheduler.health.js';
import type { RunOutcome, RunWaiter, WaitOptions } from './run.waiter.js';
import type { CreateManyOptions, CreateManyResult, UpsertResult } from './schedule.options.js';
import { handlerOptionKeys, handlerOptionsOf } from './handler.options.js';
import { readRunLog, type RunLogPage, type RunLogQuery } from './run.log.query.js';
import {
  queryStatistics,
  rebuildKeys,
  rebuildStatistics,
  statisticsKeys,
  type RebuildOptions,
  type RebuiltStatistics,
  type StatisticsPage,
  type StatisticsQuery,
} from './statistics.js';
import type { SchedulerLifecycle } from './scheduler.lifecycle.js';
import { Tenancy, type TenantOptions } from './tenancy.js';
import { confinedScheduler, type TenantScheduler } from './tenant.scheduler.js';
import type { TransactionJoiner } from './transaction.joiner.js';
import type { StorageNow } from './storage.now.js';
import type { TriggerPreview } from '../triggers/preview.js';

/** What the service works with. */
export interface SchedulerParts {
  transactions: TransactionJoiner;
  engine: Engine;
  handlers: HandlerRegistry;
  withdrawals: HandlerWithdrawals;
  creator: JobCreator;
  bulkChanges: BulkChanges;
  waiter: RunWaiter;
  time: StorageNow;
  bulkCreator: BulkCreator;
  updater: JobUpdater;
  deadLetters: DeadLetters;
  openRuns: OpenRuns;
  signals: RunSignals;
  pauses: Pauses;
  pauseOrders: PauseOrders;
  lifecycle: SchedulerLifecycle;
  health: HealthCheck;
  /** What exclusions may name. */
  calendars: Calendars;
  /** Of times without an offset. */
  timeZone: string;
  storage: StorageAdapter;
  retention: Retention;
}

/**
 * Jobs at run time: inject it anywhere. Every method works at any moment, also while the job runs, waits for a retry or is paused, and
 * also in a process that runs no jobs itself (`autoStart: false`). What it returns is plain data, a snapshot.
 *
 * Jobs are named by their id; those outside of the namespace `default` by `{ namespace }` as well. Invalid input is refused
 * before anything is stored: InvalidOptionError, InvalidScheduleError, InvalidPayloadError, EmptyJobIdError, InvalidJobIdError.
 *
 * With `{ manager }` among the options a call is part of the caller's own transaction: it is committed with it, or rolled back with it.
 * Throws TransactionNotSupportedError where that is not possible.
 * @publicApi
 */
export class SchedulerService {
  constructor(private readonly parts: SchedulerParts) {}

  // ── Handlers

  /**
   * Makes a function known as a handler in this process, also while it runs. It gets the RunContext. `options` decide about its retries and
   * the payloads that it takes. Throws DuplicateHandlerError, InvalidHandlerError (not a function).
   */
  registerHandler<P>(
    name: string,
    handler: HandlerFunction<P>,
    options?: Omit<HandlerOptions, 'schema'>,
  ): void;
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
    const ofJob = {
      ...(schema === null ? {} : { schema }),
      ...(typeof job === 'string' ? {} : { previousNames: job.previousNames }),
    };
    const given = knownOptions(options, handlerOptionKeys, owner);
    const checked = handlerOptionsOf({ ...given, ...ofJob }, owner);
    this.parts.handlers.register(name, handler as (context: RunContext) => unknown, owner, checked);
  }

  /**
   * From now on this process takes no part in what the handler runs: it neither fires jobs of it nor begins their runs. What goes on here may finish, and
   * other processes go on; to stop those as well, `pauseJob` or `pause`. Nothing is stored: it lasts until `offerHandler` or the end of the process. Throws
   * HandlerNotFoundError where this process has no such handler.
   */
  withdrawHandler(handler: string | HandlerReference<any>): void {
    this.parts.withdrawals.withdraw(handlerName(handler));
  }

  /**
   * Takes back `withdrawHandler`. Where no live process took part, jobs go on with the first instant from now, and what they passed over is on record as a
   * gap. What it throws is about the name only: InvalidOptionError.
   */
  async offerHandler(handler: string | HandlerReference<any>): Promise<void> {
    await this.parts.withdrawals.offer(handlerName(handler));
  }

  // ── Creating

  /** A job that recurs after a fixed time. Throws JobAlreadyExistsError, HandlerNotFoundError. */
  async createIntervalJob<H extends HandlerInput, P>(
    options: CreateIntervalJob<H, P>,
    within: ManagerOption = {},
  ): Promise<Job> {
    return this.parts.creator.interval(options, await this.accessOf(within, 'createIntervalJob()'));
  }

  /** A job that recurs by the calendar. Throws JobAlreadyExistsError, HandlerNotFoundError. */
  async createCronJob<H extends HandlerInput, P>(
    options: CreateCronJob<H, P>,
    within: ManagerOption = {},
  ): Promise<Job> {
    return this.parts.creator.cron(options, await this.accessOf(within, 'createCronJob()'));
  }

  /**
   * A one-off, at a time or after a delay. When it has succeeded it is no job any more, unless `keep` says so; its record stays.
   * Throws JobAlreadyExistsError, HandlerNotFoundError.
   */
  async createDateJob<H extends HandlerInput, P>(
    options: CreateDateJob<H, P>,
    within: ManagerOption = {},
  ): Promise<Job> {
    return this.parts.creator.date(options, await this.accessOf(within, 'createDateJob()'));
  }

  /**
   * A job with any schedule: `at`, `in`, `every`, `cron`, or a trigger as data, of which `{ type: 'manual' }` runs by `runNow` only. Throws
   * JobAlreadyExistsError, HandlerNotFoundError.
   */
  async createJob<H extends HandlerInput, P>(
    options: CreateJob<H, P>,
    within: ManagerOption = {},
  ): Promise<Job> {
    return this.parts.creator.any(options, await this.accessOf(within, 'createJob()'));
  }

  /**
   * A job in one line: `schedule('remind', { in: '3d', payload })`, with exactly one of `at`, `in`, `every`, `cron` and `after`. Throws
   * InvalidScheduleError (none, or several), InvalidOptionError (a job in `after` that cannot be waited for), JobAlreadyExistsError, HandlerNotFoundError.
   */
  async schedule<H extends HandlerInput | TaskOption, P>(
    handler: H,
    options: ScheduleOptions<H, P>,
    within: ManagerOption = {},
  ): Promise<Job> {
    return this.parts.bulkCreator.one(handler, options, await this.accessOf(within, 'schedule()'));
  }

  /**
   * Very many jobs at once, stored in batches. One result per item, in order: an item that is invalid, or whose id is taken under `raise`, is
   * `rejected` by itself. Not one transaction: batches are stored as far as it got, two at a time; of items with the same id the first comes first.
   * Payloads for handlers by name are checked at run time alone.
   *
   * A list in which a job has `after`, so that it waits for others, is stored as a whole or not at all, in one transaction: up to 10,000 jobs, in any order. Throws then what would be the error of an item, InvalidOptionError for jobs that cannot be waited for
   * and for those that wait for each other, and JobAlreadyExistsError.
   */
  async createMany<H extends HandlerInput[]>(
    items: readonly [...{ [K in keyof H]: ScheduledJob<H[K], object> }],
    options: CreateManyOptions & ManagerOption = {},
  ): Promise<CreateManyResult[]> {
    const call = () =>
      ({
        as: { create: 'createMany', upsert: 'createMany', update: 'createMany' },
        batch: randomUUID(),
      }) as const;
    return this.parts.bulkCreator.many(items, options, await this.access(options, call));
  }

  /**
   * Creates the job, or gives the one with this id the new definition and time; its history stays, and when what recurs has the same schedule as
   * before, so does its next time. Tells which. Throws EmptyJobIdError (no id), HandlerNotFoundError.
   */
  async upsert<H extends HandlerInput, P>(
    job: ScheduledJob<H, P>,
    within: ManagerOption = {},
  ): Promise<UpsertResult> {
    const access = await this.accessOf(within, 'upsert()', () => ({
      as: { create: 'upsert', update: 'upsert' },
    }));
    return this.parts.bulkCreator.upsert(job, access);
  }

  // ── Reading

  /** null: there is no such job, or it was a one-off that is finished. */
  async getJob(id: string, options: NamespaceOption & ManagerOption = {}): Promise<Job | null> {
    const ref = jobRef(id, options, 'getJob()');
    return (await this.access(options)).jobs.getJob(ref);
  }

  /** Jobs that meet all conditions, by namespace and id, or with `orderBy: 'nextRunAt'` by what comes next; 100 at a time unless `limit` says otherwise (up to 1,000). `state: 'scheduled'` finds those that never ran as well. */
  async queryJobs(query: JobQuery = {}, within: ManagerOption = {}): Promise<Page<Job>> {
    const { jobs } = await this.accessOf(within, 'queryJobs()');
    return jobs.queryJobs(jobFilter(query, this.parts.timeZone), jobPageOf(query));
  }

  async countJobs(query: JobQuery = {}, within: ManagerOption = {}): Promise<number> {
    const { jobs } = await this.accessOf(within, 'countJobs()');
    return jobs.countJobs(jobFilter(query, this.parts.timeZone));
  }

  /**
   * Runs that are stored: those that wait, go on, or are kept. Newest first. With `state: ['failed', 'timed_out', 'lost']` the dead
   * letters: runs that gave up, of one-offs and of recurring jobs. Each with who has asked for it last, see `withActor`.
   */
  async getRuns(
    query: RunConditions & PageRequest = {},
    within: ManagerOption = {},
  ): Promise<Page<ListedRun>> {
    const { jobs } = await this.accessOf(within, 'getRuns()');
    return listRuns(runFilter(query, this.parts.timeZone), pageOf(query), jobs);
  }

  /** The ledger: a row per attempt, newest first. */
  async getAttempts(
    query: AttemptFilter & PageRequest = {},
    within: ManagerOption = {},
  ): Promise<Page<Attempt>> {
    const { jobs } = await this.accessOf(within, 'getAttempts()');
    return jobs.queryAttempts(attemptFilter(query), pageOf(query));
  }

  /**
   * What has failed, of the last 24 hours unless said otherwise: attempts by the fingerprint of their error and by handler, with how many there were, the first and the last time, and the newest one as a sample; the
   * groups that failed last come first. With `newSince` only what is new since then. Throws InvalidScheduleError (from, until, newSince).
   */
  async getFailures(query: FailureQuery = {}, within: ManagerOption = {}): Promise<FailureReport> {
    const { jobs } = await this.accessOf(within, 'getFailures()');
    return readFailures(query, this.parts.timeZone, jobs);
  }

  /** Recurring jobs that are overdue by their `lateAfter`, the longest first, each by its earliest instant. Those without it never are. Asked by the clock of the storage, and never part of a transaction. Throws InvalidOptionError, StorageError (the storage cannot tell). */
  async getOverdue(query: OverdueQuery = {}): Promise<OverdueJob[]> {
    return readOverdue(query, this.parts.storage);
  }

  /**
   * What a run has logged by `context.logger` and `context.log()`, the oldest line first: the first and the last 500 lines within 256 KiB, as long as the ledger is kept. `tail` of a page leads to what comes later. Never part of a transaction. Throws StorageError where the storage keeps no logs.
   */
  async getRunLog(query: RunLogQuery): Promise<RunLogPage> {
    return readRunLog(query, this.parts.storage);
  }

  /**
   * The durable steps of a run, in the order in which they began: those that have ended, and what it sleeps or waits for. They are there as long as the run has no verdict or may be retried, and then as long as its attempts. Empty: there are none
   * (any more), or there is no such run.
   */
  async getRunSteps(runId: string, within: ManagerOption = {}): Promise<DurableStep[]> {
    return this.parts.signals.steps(runId, await this.accessOf(within, 'getRunSteps()'));
  }

  /** Due instants that did not run, as ranges, newest first. */
  async getGaps(query: GapFilter & PageRequest = {}, within: ManagerOption = {}): Promise<Page<Gap>> {
    const { jobs } = await this.accessOf(within, 'getGaps()');
    return jobs.queryGaps(gapFilter(query), pageOf(query));
  }

  /**
   * What a stored job will do: instants with wall time and remarks, as `preview` shows them, also of a job that is paused (a remark tells).
   * Throws JobNotFoundError.
   */
  async previewJob(
    id: string,
    options: NamespaceOption & ManagerOption & PreviewOptions = {},
  ): Promise<TriggerPreview> {
    const ref = jobRef(id, options, 'previewJob()', previewKeys);
    const { jobs } = await this.access(options);
    const job = await jobs.getJob(ref);
    if (job === null) throw await missingJob(ref, jobs);
    return previewOf(job, options, await this.parts.time.now(jobs), this.parts.calendars);
  }

  /**
   * Why: what became of one instant of a job, or will, in one sentence, with the row that decides. By the record first, of which the newest 10,000 rows of each kind are looked through, then by the schedule, and what holds it at present. `instant`: text without an
   * offset is in the zone of the job, and without a fraction also the only instant within its second, as tables show times. Of jobs that are gone the record tells. Throws JobNotFoundError, InvalidScheduleError (instant).
   *
   * @example
   * const { sentence } = await scheduler.explain('nightly', '2026-11-30 02:00'); // "nightly" did not run: an earlier run had not ended, and overlap is 'skip'.
   */
  async explain(
    id: string,
    instant: InstantInput,
    options: NamespaceOption & ManagerOption = {},
  ): Promise<Explanation> {
    const ref = jobRef(id, options, 'explain()');
    const { jobs } = await this.access(options);
    const { calendars, timeZone } = this.parts;
    return explainInstant(ref, instant, { jobs, now: await this.parts.time.now(jobs), calendars, timeZone });
  }

  /**
   * All due instants of a job in a stretch of time, each with what became of it, or will, as `explain` has it: by the record whatever the schedule was, else by the schedule as it is. What it excludes is left out, and so is what was run by hand. Of jobs that are gone the
   * record tells. Throws JobNotFoundError, InvalidOptionError, InvalidScheduleError (from, until).
   *
   * @example
   * const { instants } = await scheduler.coverage('nightly', { from: '2026-11-01', until: '2026-12-01' });
   * const missing = instants.filter(({ answer }) => answer === 'did-not-run');
   */
  async coverage(
    id: string,
    options: NamespaceOption & ManagerOption & CoverageOptions = {},
  ): Promise<Coverage> {
    const ref = jobRef(id, options, 'coverage()', coverageKeys);
    const { jobs } = await this.access(options);
    const { calendars, timeZone } = this.parts;
    return coverJob(ref, options, { jobs, now: await this.parts.time.now(jobs), calendars, timeZone });
  }

  /**
   * What will be due in a stretch of time, by all jobs that are stored now: runs for each bucket, the hottest minutes, and what the clocks' changes do. Pauses that stand are taken to last. Runs of a fixed delay are taken to last no time, and
   * `maxRuns` is not looked at. Bounded, and it gives way to everything else meanwhile: `atLeast` says where it was cut. Throws InvalidOptionError, InvalidScheduleError.
   */
  async forecast(options: ForecastOptions = {}, within: ManagerOption = {}): Promise<Forecast> {
    const given = knownOptions(options, forecastKeys, 'forecast()', managerHint) as ForecastOptions;
    const { jobs } = await this.accessOf(within, 'forecast()');
    const { calendars, timeZone, time } = this.parts;
    return forecastJobs(given, { jobs, now: await time.now(jobs), calendars, timeZone });
  }

  /**
   * Resolves when the run has its verdict, whichever process executes it, also if it has had it for long. A retry by hand is another run, with an id and a verdict of its own. Throws RunNotFoundError,
   * RunWaitTimeoutError, the reason of the signal.
   */
  async waitForRun<R = JsonValue>(runId: string, options: WaitOptions = {}): Promise<RunOutcome<R>> {
    return this.parts.waiter.wait<R>(runId, options);
  }

  // ── Changing

  /**
   * Changes what is given and leaves the rest; a schedule as a whole: `{ every: '10m' }`. A changed schedule counts from now; a changed interval keeps its
   * anchor. A run that goes on is not touched. With `expectedRevision`, throws StaleJobError when the job has changed since it was read. Throws JobNotFoundError.
   *
   * Of a job that the code declares these options are changed for all processes, and stay so when a deploy brings another declaration, until `resetJob`: see
   * `Job.changed`, which also has who that was (`by`).
   */
  async updateJob<H extends HandlerInput = string, P = unknown>(
    id: string,
    changes: UpdateJob<H, P>,
    options: NamespaceOption & ManagerOption & UpdateOptions = {},
  ): Promise<Job> {
    const ref = jobRef(id, options, 'updateJob()', updateOptionKeys);
    return this.parts.updater.update(ref, changes, await this.access(options), options);
  }

  /**
   * Takes back all that was changed at run time of a job that the code declares: what the code says at present holds again, in all processes. The next time
   * is another one only if the schedule is; then what the schedule until now owed is on record as a gap. Throws JobNotFoundError, InvalidOptionError (a job
   * that was made at run time).
   */
  async resetJob(id: string, options: NamespaceOption & ManagerOption = {}): Promise<Job> {
    const ref = jobRef(id, options, 'resetJob()');
    return this.parts.updater.reset(ref, await this.access(options, () => ({ as: { update: 'reset' } })));
  }

  /** Stops firing; what goes on may finish, also what a worker has claimed already and begins a moment later. A paused job stays as it was paused, but with the `until` of this call, or without any. Throws JobNotFoundError, and for `until` InvalidScheduleError. */
  async pauseJob(id: string, options: NamespaceOption & PauseOptions & ManagerOption = {}): Promise<Job> {
    const ref = jobRef(id, options, 'pauseJob()', pauseKeys);
    return this.changed(ref, options, async ({ jobs }) =>
      jobs.pauseJob(ref, await this.parts.pauseOrders.of(options, jobs)),
    );
  }

  /** Goes on with the first instant from now; what fell into the pause is on record as a gap. One that stands further ahead stays there, unless `fromNow` says so. Throws JobNotFoundError. */
  async resumeJob(id: string, options: NamespaceOption & ResumeOptions & ManagerOption = {}): Promise<Job> {
    const ref = jobRef(id, options, 'resumeJob()', resumeKeys);
    const fromNow = isResumedFromNow(options);
    return this.changed(ref, options, ({ jobs }) =>
      jobs.resumeJob(ref, (job, now) => planResume(ref.namespace, job, now, this.parts.calendars, fromNow)),
    );
  }

  /**
   * Removes the job. Runs that wait, or are open, end as `cancelled`; one that goes on ends with its attempt. A job that the code declares comes back with
   * the next start of the application. Throws JobNotFoundError.
   */
  async deleteJob(id: string, options: NamespaceOption & ManagerOption = {}): Promise<void> {
    const ref = jobRef(id, options, 'deleteJob()');
    await this.changed(ref, options, async ({ jobs }) => (await jobs.deleteJob(ref)) || null);
  }

  /**
   * Ends the runs of the job: those that wait, or are open, at once, those that go on by their AbortSignal. A recurring job goes on with its next
   * instant. Returns how many runs were concerned. Throws JobNotFoundError.
   */
  async cancelJob(id: string, options: NamespaceOption & ManagerOption = {}): Promise<number> {
    const ref = jobRef(id, options, 'cancelJob()');
    return this.changed(ref, options, async ({ jobs, changed }) => {
      const concerned = await jobs.cancelJob(ref);
      if (concerned !== null) changed({ kind: 'cancel' });
      return concerned;
    });
  }

  /**
   * Ends one run, from any process: `cancelled` if it waited, or was open; `requested` if it goes on: its AbortSignal fires within a second (at the next
   * beat, a third of `leaseMs`, where there is no wake signal), and what becomes of it is on record. Throws RunHasVerdictError, RunNotFoundError (there is no record of it).
   */
  async cancelRun(runId: string, within: ManagerOption = {}): Promise<'cancelled' | 'requested'> {
    const { jobs, changed } = await this.accessOf(within, 'cancelRun()');
    const answer = await jobs.cancelRun(lineOfText(runId, 'runId'));
    if (answer === null) throw await notGoingOn(runId, jobs);
    changed({ kind: answer === 'requested' ? 'cancel' : 'change' });
    return answer;
  }

  /**
   * A run due now, beside whatever goes on, also while the job is paused. A one-off that waits is due now instead, one that failed gets a
   * new run; for one that runs nothing is done, and `alreadyRunning` says so. Throws JobNotFoundError, WorkflowRunStateError (a one-off that is a workflow which is over, and a step of it still runs).
   */
  async runNow(id: string, options: NamespaceOption & ManagerOption = {}): Promise<RequestedRun> {
    const ref = jobRef(id, options, 'runNow()');
    const { engine, creator } = this.parts;
    const trace = creator.tracing.current();
    const run = await this.changed(ref, options, ({ jobs }) => jobs.runNow(ref, engine.givenUp, trace));
    return requestedRun(run);
  }

  /**
   * A run (`origin: 'backfill'`) for each instant of the job's schedule from `from` to `until`, both included: beside the schedule, at any moment, also
   * while the job is paused. Instants that have a run without verdict, or have succeeded, are left out. To end it, cancel the job.
   * Throws JobNotFoundError, InvalidOptionError (no schedule with past instants, more of them than `limit`).
   */
  async backfill(
    id: string,
    from: InstantInput,
    until: InstantInput,
    options: NamespaceOption & ManagerOption & BackfillOptions = {},
  ): Promise<BackfillResult> {
    const ref = jobRef(id, options, 'backfill()', backfillKeys);
    const access = await this.access(options);
    const now = await this.parts.time.now(access.jobs);
    return backfillJob(ref, { from, until, now }, options, access, this.parts.calendars);
  }

  // ── Open runs

  /**
   * Gives an open run the verdict `succeeded`, from any process: what its handler would have returned is `result`, JSON of up to 65,536 characters. Waits a moment for a run that its handler is about to open. Throws
   * RunNotOpenError (it is not open), RunHasVerdictError (by another call, by its deadline, by a cancel), RunNotFoundError, InvalidPayloadError (result).
   *
   * @example
   * await scheduler.complete(body.reference, { paid: body.amount });
   */
  async complete(runId: string, result?: unknown, options: OpenRunOptions = {}): Promise<void> {
    const access = await this.access(options, () => ({
      as: { complete: 'complete' },
    }));
    return this.parts.openRuns.complete(runId, result, options, access);
  }

  /**
   * Has an open run fail, as if its handler had thrown the error: with the retries, callbacks and so on of its job, also for RetryAfterError and UnrecoverableError; the functions `retryIf` and `backoff` of the handler count where
   * this process has it. Tells when it is tried again. Throws like `complete`.
   */
  async fail(runId: string, error: unknown, options: OpenRunOptions = {}): Promise<FailedOpenRun> {
    return this.parts.openRuns.fail(
      runId,
      error,
      options,
      await this.access(options, () => ({ as: { complete: 'fail' } })),
    );
  }

  // ── Signals

  /**
   * Brings a payload to `context.waitFor(name)` of this run, from any process: JSON, of the size of other payloads at most. A run that waits for it is due at once; one that does not is kept it until it does, or has its verdict. Each wait takes one, in the order in
   * which they came; a thousand may wait to be taken. Throws RunHasVerdictError, RunNotFoundError, TooManySignalsError, InvalidPayloadError, InvalidOptionError (it is the run of a workflow as a whole, or of a manual step, in which no handler waits).
   *
   * @example
   * await scheduler.signal(order.runId, 'approved', { by: user.id });
   */
  async signal(runId: string, name: string, payload?: unknown, within: ManagerOption = {}): Promise<void> {
    return this.parts.signals.send(runId, name, payload, await this.accessOf(within, 'signal()'));
  }

  // ── Changing many jobs

  /**
   * `pauseJob` for all jobs that meet the filter, the same one as `queryJobs` takes. An empty filter is refused unless `{ all: true }`.
   * For what is created later too, see `pause`.
   */
  async pauseMany(
    filter: ManyFilter,
    options: ManyOptions & PauseOptions & ManagerOption = {},
  ): Promise<ManyResult> {
    return this.parts.bulkChanges.pause(filter, options, await this.access(options, manyCall(filter)));
  }

  /** `resumeJob` for all jobs that meet the filter. */
  async resumeMany(
    filter: ManyFilter,
    options: ManyOptions & ResumeOptions & ManagerOption = {},
  ): Promise<ManyResult> {
    return this.parts.bulkChanges.resume(filter, options, await this.access(options, manyCall(filter)));
  }

  /** `cancelJob` for all jobs that meet the filter. */
  async cancelMany(filter: ManyFilter, options: ManyOptions & ManagerOption = {}): Promise<ManyResult> {
    return this.parts.bulkChanges.cancel(filter, options, await this.access(options, manyCall(filter)));
  }

  /** `deleteJob` for all jobs that meet the filter. */
  async deleteMany(filter: ManyFilter, options: ManyOptions & ManagerOption = {}): Promise<ManyResult> {
    return this.parts.bulkChanges.delete(filter, options, await this.access(options, manyCall(filter)));
  }

  // ── Pausing many at once

  /**
   * Stops a handler, a queue, a namespace or everything, in all processes: nothing of it fires or begins, not even by `runNow`, until `resume`.
   * What is running may finish. A scope that is paused already stays as it was paused, but with the `until` of this call, or without any.
   */
  async pause(scope: PauseScope, options: PauseOptions & ManagerOption = {}): Promise<ScopePause> {
    return this.parts.pauses.pause(scope, options, await this.access(options));
  }

  /**
   * Ends the pause of a scope, by the same words as it was paused. Its jobs go on with their first instant from now, and what fell into the pause is on
   * record as gaps; runs that waited begin. Pauses of single jobs and of other scopes stay. False: the scope was not paused.
   */
  async resume(scope: PauseScope, within: ManagerOption = {}): Promise<boolean> {
    return this.parts.pauses.resume(scope, await this.accessOf(within, 'resume()'));
  }

  /** The scopes that are paused at present, the oldest pause first. Jobs that are stopped by one of them or by a pause of their own: `queryJobs({ state: 'paused' })`, `Job.pausedBy`. */
  async getPauses(within: ManagerOption = {}): Promise<ScopePause[]> {
    return this.parts.pauses.list(await this.accessOf(within, 'getPauses()'));
  }

  // ── Runs that gave up

  /**
   * Gives a run that failed, timed out or was lost a new run, due now, with `retryOf`, the old nominal time and fresh retries. It passes over the durable steps that have ended. Throws
   * RunNotFoundError, RunNotFailedError, WorkflowRunStateError (it is a workflow, of which a step still runs: it would begin anew beside that).
   */
  async retryRun(runId: string, within: ManagerOption = {}): Promise<Run> {
    return this.parts.deadLetters.retry(runId, await this.accessOf(within, 'retryRun()'));
  }

  /** Removes a run that failed, timed out or was lost, and with it the one-off that it is; its record stays. Throws RunNotFoundError, RunNotFailedError. */
  async discardRun(runId: string, within: ManagerOption = {}): Promise<void> {
    return this.parts.deadLetters.discard(runId, await this.accessOf(within, 'discardRun()'));
  }

  /** `retryRun` for all that meet the filter; without one for all runs that gave up (a condition that is undefined is refused); in steps of 500. `spread: '5m'` spreads them over five minutes. Those that fail again meanwhile are not retried twice; workflows of which a step still runs are passed over. Throws InvalidScheduleError (spread). */
  async retryFailed(
    filter: FailedRunFilter = {},
    options: RetryOptions & ManagerOption = {},
  ): Promise<BulkResult> {
    return this.parts.deadLetters.retryAll(filter, options, await this.access(options, manyCall(filter)));
  }

  /** `discardRun` for all that meet the filter; without one for all runs that gave up. A condition that is undefined is refused. */
  async discardFailed(
    filter: FailedRunFilter = {},
    options: BulkOptions & ManagerOption = {},
  ): Promise<BulkResult> {
    return this.parts.deadLetters.discardAll(filter, options, await this.access(options, manyCall(filter)));
  }

  // ── Tenants

  /**
   * The scheduler of one tenant: the same methods for the jobs in a namespace of its own, `tenant:` and the id, marked with `{ tenant_id }` in the
   * metadata. Jobs and runs of others are as if they did not exist; namespaces and marks of others are refused. Throws InvalidOptionError.
   *
   * @example
   * await scheduler.forTenant('acme').schedule('send-report', { cron: '0 9 * * *' });
   */
  forTenant(tenant: string, options: TenantOptions = {}): TenantScheduler {
    return confinedScheduler(this, new Tenancy(tenant, options));
  }

  // ── Statistics

  /**
   * What attempts came to, by minute, hour or day (UTC), namespace, queue, handler and verdict; 100 rows at a time unless `limit` says otherwise (up to 1,000). Counted out of the ledger about once a minute by a process with `statistics: true`; runs with
   * `keep: 'none'` are missing, as the ledger has none of them. Minutes are kept for 8 days, hours for 90 days, days for two years. Throws InvalidOptionError, InvalidScheduleError, StorageError (the storage keeps none).
   */
  async getStatistics(query: StatisticsQuery): Promise<StatisticsPage> {
    return queryStatistics(
      knownOptions(query, statisticsKeys, 'getStatistics()') as unknown as StatisticsQuery,
      this.parts,
    );
  }

  /**
   * Counts whole hours anew out of the ledger, as far as it reaches back and the last 88 days at most; also without `statistics: true`. An hour after the other: what is done when it is cut off stays. Throws InvalidOptionError, InvalidScheduleError,
   * StorageError (the storage keeps none).
   */
  async rebuildStatistics(options: RebuildOptions): Promise<RebuiltStatistics> {
    return rebuildStatistics(
      knownOptions(options, rebuildKeys, 'rebuildStatistics()') as unknown as RebuildOptions,
      this.parts,
    );
  }

  // ── Transactions of the caller

  /**
   * All calls of the scheduler that `work` makes, however deep, are part of this transaction, as with `{ manager }`; null: of none. Does not begin or
   * end it: that stays with the caller.
   *
   * @example
   * await dataSource.transaction((manager) => scheduler.withTransaction(manager, () => this.signUp(user)));
   */
  withTransaction<T>(manager: JoinableTransaction | null, work: () => T): T {
    return this.parts.transactions.within(manager, work);
  }

  // ── Who has asked

  /**
   * All that `work` changes by the scheduler, the workflows and the definitions, however deep, is put on record as asked for by this actor, in the transaction that changes it: see `getAudit`. Without an actor nothing is written. null: by nobody. Throws
   * InvalidOptionError. A call within throws AuditNotSupportedError where the storage keeps no such record.
   *
   * @example
   * await scheduler.withActor({ by: user.email, note: 'invoice was wrong' }, () => scheduler.retryRun(runId));
   */
  withActor<T>(actor: Actor | null, work: () => T): T {
    return this.parts.transactions.inNameOf(actor, work);
  }

  /** Who has asked for what, newest first; 100 at a time unless `limit` says otherwise (up to 1,000). It stays when the job or the run is gone, for as long as `keepAudit` says. Throws AuditNotSupportedError. */
  async getAudit(
    query: AuditQuery & PageRequest = {},
    within: ManagerOption = {},
  ): Promise<Page<AuditEntry>> {
    const filter = auditFilter(query, this.parts.timeZone);
    const { jobs } = await this.accessOf(within, 'getAudit()');
    return readAudit(filter, pageOf(query), jobs, this.parts.transactions.storageKind);
  }

  // ── This process

  /** Whether this process runs jobs. */
  get running(): boolean {
    return this.parts.engine.running;
  }

  /**
   * How this process is: whether it works, by which lease, whether the storage answers, and since when all that. Asks the storage, which may take as long as `timeout`. Does not reject for
   * what it finds. Throws InvalidOptionError, InvalidScheduleError (timeout).
   */
  health(options: HealthOptions = {}): Promise<SchedulerHealth> {
    return this.parts.health.check(options);
  }

  /** The same by what the process knows itself, at once: nothing is asked, and no storage is needed. */
  status(): SchedulerStatus {
    return this.parts.health.status();
  }

  /** Begins to run jobs in this process; done at bootstrap unless `autoStart` is false. Throws SchedulerRunningError. */
  start(): Promise<void> {
    return this.parts.lifecycle.start();
  }

  /**
   * Stops claiming, waits for running handlers up to `shutdownTimeoutMs`, and hands the rest to others. Jobs can still be
   * created. A handler that awaits it waits for itself, until that time is over: call it there without `await`. Throws SchedulerStoppedError.
   */
  stop(): Promise<void> {
    return this.parts.lifecycle.stop();
  }

  /** Null from the storage means: not found. Whatever was changed, this process looks as soon as it can be seen. */
  private async changed<T>(
    ref: JobRef,
    options: ManagerOption,
    change: (access: JobAccess) => Promise<T | null>,
  ): Promise<T> {
    const access = await this.access(options);
    const result = await change(access);
    if (result === null) throw await missingJob(ref, access.jobs);
    access.changed();
    return result;
  }

  private access(options: ManagerOption, call?: () => AuditedCall): Promise<JobAccess> {
    return this.parts.transactions.access(options, call);
  }

  /** The same where a call takes no other option. */
  private accessOf(within: ManagerOption, call: string, audited?: () => AuditedCall): Promise<JobAccess> {
    return this.parts.transactions.accessOf(within, call, audited);
  }
}
