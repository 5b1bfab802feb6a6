import { RunNotFoundError } from '../model/errors.js';
import type { Job, Page } from '../model/job.js';
import type { JsonValue } from '../model/json.js';
import type { PauseScope, ScopePause } from '../model/pause.js';
import type { Attempt, Gap, Run } from '../model/run.js';
import type { InstantInput } from '../model/trigger.js';
import type { JoinableTransaction } from '../ports/run.transaction.js';
import type { AttemptFilter, GapFilter, PageRequest, RunFilter } from '../ports/storage.adapter.js';
import type {
  CreateCronJob,
  CreateDateJob,
  CreateIntervalJob,
  CreateJob,
  HandlerChange,
  UpdateJob,
} from './create.options.js';
import { filterOf, type ManyFilter, type ManyOptions, type ManyResult } from './bulk.changes.js';
import type { BulkOptions, RetryOptions, BulkResult } from './dead.letters.js';
import type { ByHandler, HandlerReference } from './handler.reference.js';
import type { ManagerOption } from './job.access.js';
import type { NamespaceOption } from './job.identity.js';
import type { JobQuery } from './job.query.js';
import type { UpdateOptions } from './job.updater.js';
import { lineOfText } from './option.checks.js';
import type { PauseOptions } from './pauses.js';
import type { TriggerPreview } from '../triggers/preview.js';
import type { BackfillOptions, BackfillResult } from './job.backfill.js';
import type { PreviewOptions } from './job.preview.js';
import type { FailedRunFilter } from './run.query.js';
import type { RunOutcome, WaitOptions } from './run.waiter.js';
import type {
  CreateManyOptions,
  CreateManyResult,
  ScheduledJob,
  ScheduleFor,
  ScheduleOptions,
  UpsertResult,
} from './schedule.options.js';
import type { SchedulerService } from './scheduler.service.js';
import type { Tenancy } from './tenancy.js';

/** What belongs to the process and not to a tenant. */
type OfTheProcess =
  | 'registerHandler'
  | 'withdrawHandler'
  | 'offerHandler'
  | 'start'
  | 'stop'
  | 'running'
  | 'health'
  | 'forTenant';

/**
 * The SchedulerService of one tenant: the same methods, for the jobs of its own namespace. Others' jobs and runs are as if they did not exist. @publicApi
 */
export type TenantScheduler = Omit<SchedulerService, OfTheProcess>;

type Within = NamespaceOption & ManagerOption;

/** Hands each call on, kept within the tenant. */
export class ConfinedScheduler implements TenantScheduler {
  constructor(
    private readonly all: SchedulerService,
    private readonly tenancy: Tenancy,
  ) {}

  // ── Creating: in the namespace of the tenant, with its mark in the metadata

  async createIntervalJob(options: ByHandler<CreateIntervalJob>, within?: ManagerOption): Promise<Job> {
    return this.all.createIntervalJob(this.tenancy.marked(options) as CreateIntervalJob, within);
  }

  async createCronJob(options: ByHandler<CreateCronJob>, within?: ManagerOption): Promise<Job> {
    return this.all.createCronJob(this.tenancy.marked(options) as CreateCronJob, within);
  }

  async createDateJob(options: ByHandler<CreateDateJob>, within?: ManagerOption): Promise<Job> {
    return this.all.createDateJob(this.tenancy.marked(options) as CreateDateJob, within);
  }

  async createJob(options: ByHandler<CreateJob>, within?: ManagerOption): Promise<Job> {
    return this.all.createJob(this.tenancy.marked(options) as CreateJob, within);
  }

  async schedule(
    handler: string | HandlerReference<any>,
    options: ScheduleOptions | ScheduleFor<HandlerReference<any>>,
    within?: ManagerOption,
  ): Promise<Job> {
    const { handler: _, ...marked } = this.tenancy.marked({ ...options, handler });
    return this.all.schedule(handler as string, marked as ScheduleOptions, within);
  }

  async upsert(job: ByHandler<ScheduledJob>, within?: ManagerOption): Promise<UpsertResult> {
    return this.all.upsert(this.tenancy.marked(job) as ScheduledJob, within);
  }

  async createMany(
    items: readonly ByHandler<ScheduledJob>[],
    options?: CreateManyOptions & ManagerOption,
  ): Promise<CreateManyResult[]> {
    if (!Array.isArray(items)) return this.all.createMany(items as ScheduledJob[], options);
    const results: CreateManyResult[] = [];
    const marked = items.flatMap((item: ByHandler<ScheduledJob>, index) => {
      try {
        return [{ index, item: this.tenancy.marked(item) as ScheduledJob }];
      } catch (error) {
        results[index] = { status: 'rejected', error };
        return [];
      }
    });
    const stored = await this.all.createMany(
      marked.map(({ item }) => item),
      options,
    );
    for (const [i, { index }] of marked.entries()) results[index] = stored[i]!;
    return results;
  }

  // ── Reading

  async getJob(id: string, options?: Within): Promise<Job | null> {
    return this.all.getJob(id, this.tenancy.confined(options));
  }

  async queryJobs(query?: JobQuery, within?: ManagerOption): Promise<Page<Job>> {
    return this.all.queryJobs(this.tenancy.confined(query), within);
  }

  async countJobs(query?: JobQuery, within?: ManagerOption): Promise<number> {
    return this.all.countJobs(this.tenancy.confined(query), within);
  }

  async getRuns(query?: RunFilter & PageRequest, within?: ManagerOption): Promise<Page<Run>> {
    return this.all.getRuns(this.tenancy.confined(query), within);
  }

  async getAttempts(query?: AttemptFilter & PageRequest, within?: ManagerOption): Promise<Page<Attempt>> {
    return this.all.getAttempts(this.tenancy.confined(query), within);
  }

  async getGaps(query?: GapFilter & PageRequest, within?: ManagerOption): Promise<Page<Gap>> {
    return this.all.getGaps(this.tenancy.confined(query), within);
  }

  async previewJob(id: string, options?: Within & PreviewOptions): Promise<TriggerPreview> {
    return this.all.previewJob(id, this.tenancy.confined(options));
  }

  async waitForRun<R = JsonValue>(runId: string, options?: WaitOptions): Promise<RunOutcome<R>> {
    await this.assertOwn(runId, {});
    return this.all.waitForRun<R>(runId, options);
  }

  // ── Changing

  async updateJob(
    id: string,
    changes: UpdateJob | HandlerChange<HandlerReference<any>>,
    options?: Within & UpdateOptions,
  ): Promise<Job> {
    const kept = this.tenancy.keepingMark(changes) as UpdateJob;
    return this.all.updateJob(id, kept, this.tenancy.confined(options));
  }

  async resetJob(id: string, options?: Within): Promise<Job> {
    return this.all.resetJob(id, this.tenancy.confined(options));
  }

  async pauseJob(id: string, options?: Within & PauseOptions): Promise<Job> {
    return this.all.pauseJob(id, this.tenancy.confined(options));
  }

  async resumeJob(id: string, options?: Within): Promise<Job> {
    return this.all.resumeJob(id, this.tenancy.confined(options));
  }

  async backfill(
    id: string,
    from: InstantInput,
    until: InstantInput,
    options?: Within & BackfillOptions,
  ): Promise<BackfillResult> {
    return this.all.backfill(id, from, until, this.tenancy.confined(options));
  }

  async deleteJob(id: string, options?: Within): Promise<void> {
    return this.all.deleteJob(id, this.tenancy.confined(options));
  }

  async cancelJob(id: string, options?: Within): Promise<number> {
    return this.all.cancelJob(id, this.tenancy.confined(options));
  }

  async runNow(id: string, options?: Within): Promise<Run> {
    return this.all.runNow(id, this.tenancy.confined(options));
  }

  // ── Many at once: an empty filter is all of the tenant, and has to be meant as well

  async pauseMany(
    filter: ManyFilter,
    options: ManyOptions & PauseOptions & ManagerOption = {},
  ): Promise<ManyResult> {
    return this.all.pauseMany(this.own(filter, options, 'pauseMany()'), options);
  }

  async resumeMany(filter: ManyFilter, options: ManyOptions & ManagerOption = {}): Promise<ManyResult> {
    return this.all.resumeMany(this.own(filter, options, 'resumeMany()'), options);
  }

  async cancelMany(filter: ManyFilter, options: ManyOptions & ManagerOption = {}): Promise<ManyResult> {
    return this.all.cancelMany(this.own(filter, options, 'cancelMany()'), options);
  }

  async deleteMany(filter: ManyFilter, options: ManyOptions & ManagerOption = {}): Promise<ManyResult> {
    return this.all.deleteMany(this.own(filter, options, 'deleteMany()'), options);
  }

  // ── Runs by their id: those of others are not found

  async cancelRun(runId: string, within: ManagerOption = {}): Promise<'cancelled' | 'requested'> {
    await this.assertOwn(runId, within);
    return this.all.cancelRun(runId, within);
  }

  async retryRun(runId: string, within: ManagerOption = {}): Promise<Run> {
    await this.assertOwn(runId, within);
    return this.all.retryRun(runId, within);
  }

  async discardRun(runId: string, within: ManagerOption = {}): Promise<void> {
    await this.assertOwn(runId, within);
    return this.all.discardRun(runId, within);
  }

  async retryFailed(filter?: FailedRunFilter, options?: RetryOptions & ManagerOption): Promise<BulkResult> {
    return this.all.retryFailed(this.tenancy.confined(filter), options);
  }

  async discardFailed(filter?: FailedRunFilter, options?: BulkOptions & ManagerOption): Promise<BulkResult> {
    return this.all.discardFailed(this.tenancy.confined(filter), options);
  }

  // ── Pausing: `{ all: true }` is all of the tenant

  async pause(scope: PauseScope, options?: PauseOptions & ManagerOption): Promise<ScopePause> {
    const pause = await this.all.pause(this.tenancy.scopeOf(scope), options);
    return { ...pause, scope: { all: true } };
  }

  async resume(scope: PauseScope, within?: ManagerOption): Promise<boolean> {
    return this.all.resume(this.tenancy.scopeOf(scope), within);
  }

  async getPauses(within?: ManagerOption): Promise<ScopePause[]> {
    const pauses = await this.all.getPauses(within);
    return pauses
      .filter(({ scope }) => 'namespace' in scope && scope.namespace === this.tenancy.namespace)
      .map((pause) => ({ ...pause, scope: { all: true } }));
  }

  withTransaction<T>(manager: JoinableTransaction | null, work: () => T): T {
    return this.all.withTransaction(manager, work);
  }

  private own(filter: ManyFilter, options: ManyOptions, owner: string): ManyFilter {
    filterOf(filter, options, owner);
    return this.tenancy.confined(filter);
  }

  /** Throws RunNotFoundError, as for a run that never was. Runs never change their namespace, so nothing can happen between this and what follows. */
  private async assertOwn(given: string, within: ManagerOption): Promise<void> {
    const runId = lineOfText(given, 'runId');
    const own = { runId, namespace: this.tenancy.namespace, limit: 1 };
    if ((await this.all.getRuns(own, within)).items.length > 0) return;
    if ((await this.all.getAttempts(own, within)).items.length > 0) return;
    throw new RunNotFoundError(runId);
  }
}
