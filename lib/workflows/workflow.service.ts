import { randomUUID } from 'node:crypto';
import type { HandlerRegistry } from '../engine/handler.registry.js';
import {
  InvalidOptionError,
  WorkflowRunNotFoundError,
  WorkflowRunStateError,
  WorkflowsNotSupportedError,
} from '../model/errors.js';
import type { Page } from '../model/job.js';
import type { Run } from '../model/run.js';
import { unservedWords } from '../events/unserved.words.js';
import type { UnservedDefinition, UnservedStep } from '../model/unserved.step.js';
import type { DurationInput } from '../model/trigger.js';
import type { FlowStorage } from '../ports/flows.js';
import { refuseEnding } from '../scheduler/ending.flows.js';
import type { PageRequest } from '../ports/queries.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import { bounded } from '../scheduler/audited.details.js';
import type { JobAccess, ManagerOption } from '../scheduler/job.access.js';
import type { JobCreator } from '../scheduler/job.creator.js';
import type { JobDefaults } from '../scheduler/job.definition.js';
import { namespaceOf } from '../scheduler/job.identity.js';
import { pageOf } from '../scheduler/job.query.js';
import { inPlaceOf, laterRunOf } from '../scheduler/later.run.js';
import { knownOptions, lineOfText, oneOf } from '../scheduler/option.checks.js';
import type { FailedOpenRun, OpenRunOptions, OpenRuns } from '../scheduler/open.runs.js';
import type { StorageNow } from '../scheduler/storage.now.js';
import { Tenancy, type TenantOptions } from '../scheduler/tenancy.js';
import type { TransactionJoiner } from '../scheduler/transaction.joiner.js';
import { findUnserved } from '../scheduler/unserved.steps.js';
import { parseDelay } from '../triggers/duration.js';
import type { DefinedWorkflow } from './defined.workflow.js';
import { stepName } from './planned.step.js';
import { confinedWorkflows, type TenantWorkflows } from './tenant.workflows.js';
import { workflowHandlers } from './workflow.code.js';
import { graphOf, stepRunOf, type GraphOptions, type StepRef } from './workflow.graph.js';
import { workflowName } from './workflow.plan.js';
import {
  assertRunIn,
  beginAnew,
  howPruned,
  readWorkflow,
  untilItBegins,
  withVerdict,
  type WorkflowReader,
} from './workflow.reading.js';
import type { WorkflowRegistry } from './workflow.registry.js';
import {
  startWorkflow,
  type NamedParams,
  type StartArguments,
  type StartWorkflowOptions,
  type StartedWorkflow,
  type WorkflowInput,
} from './workflow.start.js';
import { viewOf, type WorkflowGraph, type WorkflowRun } from './workflow.views.js';

/** What the service works with. */
export interface WorkflowParts {
  storage: StorageAdapter;
  transactions: TransactionJoiner;
  creator: JobCreator;
  defaults: JobDefaults;
  openRuns: OpenRuns;
  handlers: HandlerRegistry;
  registry: WorkflowRegistry;
  time: StorageNow;
  /** What this process executes of what has its verdict, or gets it. */
  engine: { readonly givenUp: readonly string[] };
  /** Whose handlers those of this process are, and what it was called before. */
  app: string;
  previousApps: readonly string[];
  /** What is pruned goes into the history, where the storage has one. */
  keepsHistory: boolean;
}

/** Which workflows that were started; all that is given must fit. @publicApi */
export interface WorkflowQuery extends PageRequest {
  /** @default all of them */
  namespace?: string;
  workflow?: string;
  /** `active`: it goes on, or is paused · `cancelled`: also one that has timed out, or whose run was lost; `get` tells. */
  state?: 'active' | 'succeeded' | 'failed' | 'cancelled';
}

/** From where a workflow goes on that is retried. @publicApi */
export interface WorkflowRetry {
  /** `'failed'`: the steps that have not ended well, and nothing else; or these steps, by name, and all that comes after them, also what had succeeded of that. @default 'failed' */
  from?: 'failed' | (string & {}) | readonly string[];
}

/** What a release would leave waiting. @publicApi */
export interface WorkflowPlanned {
  /** Handlers that workflows need which go on, by workflow, version and handler. */
  steps: readonly UnservedStep[];
  /** Definitions that are data, with the handlers that they need. */
  definitions: readonly UnservedDefinition[];
  /** Both in words, a sentence each. Empty: nothing is lacking. */
  lacks: readonly string[];
}

/** Which workflows that are over are deleted. @publicApi */
export interface WorkflowPruning {
  /** Those that have been over for longer than this: milliseconds, or text such as '30d'. */
  olderThan: DurationInput;
}

/** Each may have ten thousand steps. */
const pruneBatch = 50;

/**
 * Workflows at run time: inject it anywhere. Every method works also in a process that runs no jobs itself. What it returns is plain data, a snapshot. A workflow that was started is named by the id of the run that it is; where it was retried, so that it is another one, the ids of those before name it as well, as long as the ledger has them.
 *
 * Throws WorkflowsNotSupportedError on a storage without workflows. Invalid input is refused before anything is stored: InvalidOptionError, InvalidScheduleError, InvalidPayloadError, InvalidWorkflowError. With `{ manager }` in its last argument, or within `scheduler.withTransaction()`, a call is
 * part of the caller's own transaction; `prune` is of none, and is refused within one; `plan` reads what is committed.
 * @publicApi
 */
export class WorkflowService {
  constructor(private readonly parts: WorkflowParts) {}

  // ── Code

  /** Makes the workflow known in this process, with the code of its steps, best in `onModuleInit`; those with `@Workflow` are. Throws InvalidWorkflowError, DuplicateHandlerError. */
  register(workflow: DefinedWorkflow<any, any, any>): void {
    const { handlers, registry, storage } = this.parts;
    if (storage.flows === undefined) {
      throw new WorkflowsNotSupportedError(`The workflow "${workflow.name}"`, storage.kind);
    }
    const { code, defaults } = workflow;
    for (const { name, run, options } of workflowHandlers(code))
      handlers.register(name, run, 'register()', options);
    registry.add(code, defaults);
  }

  // ── Starting

  /**
   * Starts a workflow: a run of it, and with that its first steps, are due at once, or `at` a time, or after a `delay`. With a `key` it is started once, however often this is called. Throws JobAlreadyExistsError (the key is the id of another job, also of a workflow of this name that another app has started),
   * HandlerNotFoundError. With a `version` it is that version of its definition, whatever the code says now, also of a workflow that is data; throws DefinitionNotFoundError (none that lives) then, InvalidOptionError (it is of another app than `app`), and DefinitionsNotSupportedError.
   *
   * @example
   * const { runId } = await workflows.start('order', { params: { id }, key: `order:${id}` }, { manager });
   */
  start<P>(
    workflow: string,
    options?: StartWorkflowOptions & NamedParams<P>,
    within?: ManagerOption,
  ): Promise<StartedWorkflow>;
  start<Input>(
    workflow: DefinedWorkflow<Input, any, any>,
    ...args: StartArguments<Input>
  ): Promise<StartedWorkflow>;
  async start(
    workflow: WorkflowInput,
    options: StartWorkflowOptions & { params?: unknown } = {},
    within: ManagerOption = {},
  ): Promise<StartedWorkflow> {
    void this.flows('start()');
    const call = () => ({ as: { create: 'workflow.start' } }) as const;
    const access = await this.parts.transactions.accessOf(within, 'start()', call);
    return startWorkflow(workflow, options, access, this.parts);
  }

  // ── Reading

  /** null: there is none, or it was pruned; before its run has begun it is known where its code, or its definition, is. Of a workflow that was retried the run that it is now. */
  async get(runId: string, within: ManagerOption = {}): Promise<WorkflowRun | null> {
    const id = lineOfText(runId, 'runId');
    void this.flows('get()');
    const { jobs } = await this.parts.transactions.accessOf(within, 'get()');
    return readWorkflow(id, jobs, this.parts.registry);
  }

  /** Those that have begun, the newest first; 100 at a time unless `limit` says otherwise (up to 1,000). */
  async list(query: WorkflowQuery = {}, within: ManagerOption = {}): Promise<Page<WorkflowRun>> {
    void this.flows('list()');
    const keys = ['namespace', 'workflow', 'state', 'limit', 'cursor'];
    const { namespace, workflow, state } = knownOptions(query, keys, 'list()') as WorkflowQuery;
    const filter = {
      ...(namespace === undefined ? {} : { namespace: namespaceOf(namespace) }),
      ...(workflow === undefined ? {} : { workflow: workflowName(workflow) }),
      ...(state === undefined
        ? {}
        : { state: oneOf(state, 'state', ['active', 'succeeded', 'failed', 'cancelled']) }),
    };
    const page = pageOf(query);
    const { jobs } = await this.parts.transactions.accessOf(within, 'list()');
    const { items, cursor } = await jobs.flows!.queryFlows(filter, page);
    return { items: items.map(viewOf), cursor };
  }

  /** The workflow with its steps: how they stand, what they wait for, and why. With `instances` those of maps as well. null: as of `get`, also before its run has begun. */
  async graph(runId: string, options: GraphOptions & ManagerOption = {}): Promise<WorkflowGraph | null> {
    const given = knownOptions(options, ['instances', 'manager'], 'graph()') as GraphOptions;
    const { instances = false } = given;
    void this.flows('graph()');
    const id = lineOfText(runId, 'runId');
    const { jobs } = await this.parts.transactions.access(options);
    const flow = await jobs.flows!.getFlow(id);
    if (flow === null) {
      const later = await laterRunOf(id, jobs);
      return later === null ? null : this.graph(later, options);
    }
    const view = await withVerdict(flow, jobs);
    return { ...view, steps: await graphOf(flow, instances, jobs) };
  }

  // ── Changing

  /**
   * Ends the workflow: what waits of its steps is cancelled, those that run are asked to end by their AbortSignal, and nothing else begins. It is over once these have ended (`ending` until then); one that is ending already stays so. Throws WorkflowRunNotFoundError, WorkflowRunStateError (it is over).
   */
  async cancel(runId: string, within: ManagerOption = {}): Promise<void> {
    const id = lineOfText(runId, 'runId');
    void this.flows('cancel()');
    const { jobs, changed } = await this.parts.transactions.accessOf(within, 'cancel()', () => ({
      as: { cancelRun: 'workflow.cancel' },
    }));
    const found = await readWorkflow(id, jobs, this.parts.registry);
    if (found === null) return notFound(id, jobs);
    const answer = await jobs.cancelRun(found.runId);
    if (answer === null) return this.refuse(id, 'only one that goes on can be cancelled.', jobs);
    changed({ kind: 'cancel' });
  }

  /** Holds the steps that wait, and those that would begin; what runs goes on. One that is paused stays so. Its timeout goes on. Throws WorkflowRunNotFoundError, WorkflowRunStateError (it is over). */
  async pause(runId: string, within: ManagerOption = {}): Promise<void> {
    const id = lineOfText(runId, 'runId');
    void this.flows('pause()');
    const { jobs } = await this.parts.transactions.accessOf(within, 'pause()');
    await this.whileGoing(
      id,
      (run) => jobs.flows!.pauseFlow(run),
      'only one that goes on can be paused.',
      jobs,
    );
  }

  /** What waited is due at its old time. Throws WorkflowRunNotFoundError, WorkflowRunStateError (it is over). */
  async resume(runId: string, within: ManagerOption = {}): Promise<void> {
    const id = lineOfText(runId, 'runId');
    void this.flows('resume()');
    const { jobs, changed } = await this.parts.transactions.accessOf(within, 'resume()');
    await this.whileGoing(
      id,
      (run) => jobs.flows!.resumeFlow(run),
      'only one that goes on can be resumed.',
      jobs,
    );
    changed();
  }

  /**
   * Lets a workflow go on that is over and has not succeeded: it gets a new run, with `retryOf`, and the steps that have not ended well run again, and nothing else: whatever of its parents runs again, what has ended well does not, nor what comes after it. With `from` the steps that are named run again, and all
   * that comes after them anew, also what had succeeded of that. A step that is a workflow runs again as a whole. Throws WorkflowRunNotFoundError, WorkflowRunStateError (it goes on, has succeeded, had not begun, what would run again still runs, what others have added would be lost, or its run is not kept: that of one without a key goes when it is cancelled, and any by `discardFailed`, `deleteJob` or `retryRun`), InvalidOptionError (a step that it lacks, or that is blocked, where nothing that it waits for runs again; it is the step of another workflow: retry that one).
   */
  async retry(runId: string, options: WorkflowRetry & ManagerOption = {}): Promise<StartedWorkflow> {
    const { from = 'failed' } = knownOptions(options, ['from', 'manager'], 'retry()') as WorkflowRetry;
    const id = lineOfText(runId, 'runId');
    const steps = stepsOf(from);
    void this.flows('retry()');
    const { jobs, changed } = await this.parts.transactions.access(options);
    const { engine, creator } = this.parts;
    const trace = creator.tracing.current();
    const retry = (latest: string): Promise<Run | null> =>
      jobs.flows!.retryFlow(latest, steps, engine.givenUp, trace);
    const retried = this.ofLatest(id, retry, jobs);
    const run = await retried.catch((error: unknown) => this.refuseAs(error, jobs));
    if (run === null) return this.refuseRetry(id, jobs);
    changed();
    return { runId: run.id, status: 'created' };
  }

  /**
   * Ends a manual step, or one whose handler has left it open, as `succeeded`: `result`, JSON of up to 1 MiB, is for those that come after it. `ref`: the id of its run, or the workflow's with the name of the step; the workflow as a whole ends by `scheduler.complete` alone. Throws InvalidOptionError (also where `ref` is the id of a workflow that is no step), WorkflowStepNotFoundError (also where it waits
   * for others yet, or the workflow has not begun), RunNotOpenError, RunHasVerdictError, RunNotFoundError, InvalidPayloadError (result).
   *
   * @example
   * await workflows.complete({ runId, step: 'approve' }, { by: user.name });
   */
  async complete(ref: string | StepRef, result?: unknown, options: OpenRunOptions = {}): Promise<void> {
    void this.flows('complete()');
    const call = () => ({ as: { complete: 'workflow.complete' as const } });
    const access = await this.parts.transactions.access(options, call);
    const runId = await this.stepRunOf(ref, access);
    await this.parts.openRuns.completeStep(runId, result, options, access);
  }

  /** Ends it as `failed`, as if its handler had thrown the error. Tells when it is tried again, which a manual step is not. Throws like `complete`. */
  async fail(ref: string | StepRef, error: unknown, options: OpenRunOptions = {}): Promise<FailedOpenRun> {
    void this.flows('fail()');
    const call = () => ({ as: { complete: 'workflow.fail' as const } });
    const access = await this.parts.transactions.access(options, call);
    const runId = await this.stepRunOf(ref, access);
    return this.parts.openRuns.fail(runId, error, options, access);
  }

  /**
   * Deletes workflows that are over, with their steps and results, into the history, unless `keepHistory` of this process is 'none'; the ledger keeps its rows. One that is a step of another goes no earlier than that is over. Those that are over for as long as the ledger keeps its rows go by themselves.
   * Returns how many. It is part of no transaction, as there may be many. Throws InvalidOptionError, InvalidScheduleError (olderThan), TransactionNotSupportedError (within one).
   */
  async prune(options: WorkflowPruning): Promise<number> {
    const { olderThan } = knownOptions(options, ['olderThan'], 'prune()') as unknown as WorkflowPruning;
    if (olderThan === undefined)
      throw new InvalidOptionError('olderThan', 'is missing. Give for example "30d".');
    void this.flows('prune()');
    const ageMs = parseDelay(olderThan, 'olderThan');
    await this.parts.transactions.refuse('workflows.prune()');
    const audited = { details: { olderThan: bounded(olderThan) }, batch: randomUUID() };
    const flows = (await this.parts.transactions.flows(() => audited))!;
    const before = (await this.parts.storage.now()) - ageMs;
    for (let pruned = 0; ;) {
      const some = await flows.pruneFlows(before, pruneBatch, this.parts.keepsHistory);
      pruned += some;
      if (some < pruneBatch) return pruned;
    }
  }

  // ── Deploys

  /**
   * What is stored and calls handlers that this process lacks: workflows of its app that go on (the oldest thousand), by the versions that they have, and the latest versions of definitions that are data (a thousand). For a process of the next release before it is deployed: with
   * `autoStart: false` it changes nothing. After it each start tells the same (`workflows.unserved`).
   *
   * @example
   * const { lacks } = await workflows.plan();
   * if (lacks.length > 0) throw new Error(lacks.join('\n')); // 4 flows of version 3 of "nightly" wait for "nightly.load", which this release lacks.
   */
  async plan(): Promise<WorkflowPlanned> {
    const { storage, handlers, app } = this.parts;
    void this.flows('plan()');
    const found = await findUnserved(storage, { app, handlers: handlers.offered() });
    const lacks = unservedWords(found).map((text) => `${text}, which this release lacks.`);
    return { ...found, lacks };
  }

  // ── Tenants

  /** The workflows of one tenant: the methods that start, show and change them, for those in its namespace; `register`, `plan` and `prune` are not of one tenant. See `SchedulerService.forTenant`. Throws InvalidOptionError. */
  forTenant(tenant: string, options: TenantOptions = {}): TenantWorkflows {
    return confinedWorkflows(this, new Tenancy(tenant, options));
  }

  /** For those that are kept within a namespace. Throws WorkflowRunNotFoundError where the workflow is in another one, RunNotFoundError where the run of a step is. */
  async assertIn(
    namespace: string,
    ref: string | Pick<StepRef, 'runId'>,
    within: ManagerOption = {},
  ): Promise<void> {
    const { jobs } = await this.parts.transactions.access(within);
    if (typeof ref !== 'object' || ref === null) return assertRunIn(namespace, lineOfText(ref, 'ref'), jobs);
    const id = lineOfText(ref.runId, 'runId');
    void this.flows('get()');
    const found = await readWorkflow(id, jobs, this.parts.registry);
    if (found?.namespace !== namespace) throw new WorkflowRunNotFoundError(id);
  }

  private flows(call: string): FlowStorage {
    const { storage } = this.parts;
    if (storage.flows === undefined) throw new WorkflowsNotSupportedError(`workflows.${call}`, storage.kind);
    return storage.flows;
  }

  /** Of a workflow that was retried it is tried with the run that it is now. */
  private async ofLatest<T>(
    runId: string,
    act: (runId: string) => Promise<T>,
    by: WorkflowReader,
  ): Promise<T> {
    const done = await act(runId);
    const later = done ? null : await laterRunOf(runId, by);
    return later === null ? done : act(later);
  }

  private async stepRunOf(ref: string | StepRef, { jobs }: JobAccess): Promise<string> {
    const runId = await stepRunOf(ref, jobs, (id) => readWorkflow(id, jobs, this.parts.registry));
    if (typeof ref !== 'string') return runId;
    const [run] = (await jobs.queryRuns({ runId }, { limit: 1 })).items;
    if (run?.origin === 'workflow') return runId;
    if ((await readWorkflow(runId, jobs, this.parts.registry)) !== null) {
      const problem = `the run ${runId} is a workflow as a whole, no step of one. Give { runId: '${runId}', step } with the name of the step; scheduler.complete() and fail() end the whole, and what goes on of it is cancelled.`;
      throw new InvalidOptionError('ref', problem);
    }
    return runId;
  }

  private async refuse(runId: string, problem: string, by: WorkflowReader): Promise<never> {
    const view = await readWorkflow(runId, by, this.parts.registry);
    if (view === null) return notFound(runId, by);
    throw new WorkflowRunStateError(runId, view.state, problem);
  }

  /** The storage knows how the flow has ended; of one that was cut short its run tells. */
  private async refuseAs(error: unknown, by: WorkflowReader): Promise<never> {
    if (!(error instanceof WorkflowRunStateError)) throw error;
    return this.refuse(error.runId, error.problem, by);
  }

  private async refuseRetry(runId: string, by: WorkflowReader): Promise<never> {
    const view = await readWorkflow(runId, by, this.parts.registry);
    if (view !== null) await refuseEnding(view.runId, by);
    const isOverAndBad = view !== null && view.endedAt !== null && view.state !== 'succeeded';
    const anew = isOverAndBad ? await beginAnew(view, by) : null;
    if (anew !== null) return this.refuse(runId, anew, by);
    const later = isOverAndBad ? await inPlaceOf(view.runId, by) : null;
    if (later !== null) {
      const problem = `it was retried as a job since, from its first step, and the run "${later}" has taken its place: give that one, if it is meant.`;
      return this.refuse(runId, problem, by);
    }
    return this.refuse(
      runId,
      isOverAndBad
        ? 'its run is not kept, so there is nothing to retry. That of a workflow without a key goes when it is cancelled, and any that is discarded, deleted, or retried as a job. Start it anew.'
        : 'only one that is over, and has not succeeded, can be retried.',
      by,
    );
  }

  /** It may begin just as it is tried: then it is tried again. */
  private async whileGoing(
    runId: string,
    act: (runId: string) => Promise<boolean>,
    problem: string,
    by: WorkflowReader,
  ): Promise<void> {
    for (let tries = 0; !(await this.ofLatest(runId, act, by)); tries++) {
      const view = await readWorkflow(runId, by, this.parts.registry);
      const hasBegun = view !== null && view.openedAt !== null && view.endedAt === null;
      if (hasBegun && tries < 2) continue;
      if (view === null) return notFound(runId, by);
      await refuseEnding(view.runId, by);
      const isToBegin = view.openedAt === null && view.endedAt === null;
      throw new WorkflowRunStateError(runId, view.state, isToBegin ? await untilItBegins(view, by) : problem);
    }
  }
}

async function notFound(runId: string, by: WorkflowReader): Promise<never> {
  throw new WorkflowRunNotFoundError(runId, await howPruned(runId, by));
}

function stepsOf(from: NonNullable<WorkflowRetry['from']>): string[] | null {
  if (from === 'failed') return null;
  const names: readonly unknown[] = typeof from === 'string' ? [from] : from;
  if (!Array.isArray(names) || names.length === 0) {
    throw new InvalidOptionError('from', "must be 'failed', the name of a step, or a list of names.");
  }
  return names.map((name) => stepName(name, 'from'));
}
