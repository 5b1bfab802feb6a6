import { hasAfter } from './after.option.js';
import { RunNotFoundError } from '../model/errors.js';
import { filterOf, type ManyFilter, type ManyOptions } from './bulk.changes.js';
import type { ManagerOption } from './job.access.js';
import { openRunKeys } from './open.runs.js';
import { knownOptions, lineOfText } from './option.checks.js';
import { runLogKeys, type RunLogQuery } from './run.log.query.js';
import type { CreateManyResult } from './schedule.options.js';
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
  | 'status'
  | 'rebuildStatistics'
  | 'forTenant';

/**
 * The SchedulerService of one tenant: the same methods, for the jobs of its own namespace. Others' jobs and runs are as if they did not exist. @publicApi
 */
export type TenantScheduler = Omit<SchedulerService, OfTheProcess>;

/** Hands each call on, kept within the tenant. What it takes and gives is what the methods of the whole scheduler do. */
export function confinedScheduler(all: SchedulerService, tenancy: Tenancy): TenantScheduler {
  /** An empty filter is all of the tenant, and has to be meant as well. */
  const own = (filter: ManyFilter, options: ManyOptions | undefined, owner: string): ManyFilter => {
    filterOf(filter, options ?? {}, owner);
    return tenancy.confined(filter);
  };

  /** Throws RunNotFoundError, as for a run that never was. Runs never change their namespace, so nothing can happen between this and what follows. */
  const assertOwn = async (
    given: string,
    call: string,
    options: ManagerOption = {},
    known: readonly string[] = ['manager'],
  ): Promise<void> => {
    const { manager } = knownOptions(options, known, call) as ManagerOption;
    const within = manager === undefined ? {} : { manager };
    const runId = lineOfText(given, 'runId');
    const query = { runId, namespace: tenancy.namespace, limit: 1 };
    if ((await all.getRuns(query, within)).items.length > 0) return;
    if ((await all.getAttempts(query, within)).items.length > 0) return;
    throw new RunNotFoundError(runId);
  };

  return {
    // Creating: in the namespace of the tenant, with its mark in the metadata
    createIntervalJob: async (options, within) => all.createIntervalJob(tenancy.marked(options), within),
    createCronJob: async (options, within) => all.createCronJob(tenancy.marked(options), within),
    createDateJob: async (options, within) => all.createDateJob(tenancy.marked(options), within),
    createJob: async (options, within) => all.createJob(tenancy.marked(options), within),
    schedule: async (handler, options, within) => {
      const { handler: _, ...marked } = tenancy.marked({ ...options, handler });
      // What is given twice is refused there.
      const { handler: again } = (options ?? {}) as { handler?: unknown };
      const given = again === undefined ? marked : { ...marked, handler: again };
      return all.schedule(handler, given as unknown as typeof options, within);
    },
    upsert: async (job, within) => all.upsert(tenancy.marked(job), within),
    createMany: async (items, options) => {
      if (!Array.isArray(items)) return all.createMany(items, options);
      // What is stored as a whole is refused as a whole.
      if (items.some(hasAfter)) {
        return all.createMany(
          items.map((item: { handler: unknown }) => tenancy.marked(item)) as never,
          options,
        );
      }
      const results: CreateManyResult[] = [];
      const marked = items.flatMap((item: { handler: unknown }, index) => {
        try {
          return [{ index, item: tenancy.marked(item) }];
        } catch (error) {
          results[index] = { status: 'rejected', error };
          return [];
        }
      });
      const stored = await all.createMany(marked.map(({ item }) => item) as never, options);
      for (const [i, { index }] of marked.entries()) results[index] = stored[i]!;
      return results;
    },

    getJob: async (id, options) => all.getJob(id, tenancy.confined(options)),
    queryJobs: async (query, within) => all.queryJobs(tenancy.confined(query), within),
    countJobs: async (query, within) => all.countJobs(tenancy.confined(query), within),
    getRuns: async (query, within) => all.getRuns(tenancy.confined(query), within),
    getAttempts: async (query, within) => all.getAttempts(tenancy.confined(query), within),
    getRunLog: async (query) => {
      const { runId } = knownOptions(query, runLogKeys, 'getRunLog()') as unknown as RunLogQuery;
      await assertOwn(runId, 'getRunLog()');
      return all.getRunLog(query);
    },
    getFailures: async (query, within) => all.getFailures(tenancy.confined(query), within),
    getOverdue: async (query) => all.getOverdue(tenancy.confined(query)),
    getGaps: async (query, within) => all.getGaps(tenancy.confined(query), within),
    getAudit: async (query, within) => all.getAudit(tenancy.confined(query), within),
    previewJob: async (id, options) => all.previewJob(id, tenancy.confined(options)),
    coverage: async (id, options) => all.coverage(id, tenancy.confined(options)),
    explain: async (id, instant, options) => all.explain(id, instant, tenancy.confined(options)),
    forecast: async (options, within) => all.forecast(tenancy.confined(options), within),
    getStatistics: async (query) => all.getStatistics(tenancy.confined(query)),
    waitForRun: async (runId, options) => {
      await assertOwn(runId, 'waitForRun()');
      return all.waitForRun(runId, options);
    },

    updateJob: async (id, changes, options) =>
      all.updateJob(id, tenancy.keepingMark(changes), tenancy.confined(options)),
    resetJob: async (id, options) => all.resetJob(id, tenancy.confined(options)),
    pauseJob: async (id, options) => all.pauseJob(id, tenancy.confined(options)),
    resumeJob: async (id, options) => all.resumeJob(id, tenancy.confined(options)),
    backfill: async (id, from, until, options) => all.backfill(id, from, until, tenancy.confined(options)),
    deleteJob: async (id, options) => all.deleteJob(id, tenancy.confined(options)),
    cancelJob: async (id, options) => all.cancelJob(id, tenancy.confined(options)),
    runNow: async (id, options) => all.runNow(id, tenancy.confined(options)),

    pauseMany: async (filter, options) => all.pauseMany(own(filter, options, 'pauseMany()'), options),
    resumeMany: async (filter, options) => all.resumeMany(own(filter, options, 'resumeMany()'), options),
    cancelMany: async (filter, options) => all.cancelMany(own(filter, options, 'cancelMany()'), options),
    deleteMany: async (filter, options) => all.deleteMany(own(filter, options, 'deleteMany()'), options),

    // Runs by their id: those of others are not found
    cancelRun: async (runId, within) => {
      await assertOwn(runId, 'cancelRun()', within);
      return all.cancelRun(runId, within);
    },
    complete: async (runId, result, options) => {
      await assertOwn(runId, 'complete()', options, openRunKeys);
      return all.complete(runId, result, options);
    },
    fail: async (runId, error, options) => {
      await assertOwn(runId, 'fail()', options, openRunKeys);
      return all.fail(runId, error, options);
    },
    signal: async (runId, name, payload, within) => {
      await assertOwn(runId, 'signal()', within);
      return all.signal(runId, name, payload, within);
    },
    getRunSteps: async (runId, within) => {
      await assertOwn(runId, 'getRunSteps()', within);
      return all.getRunSteps(runId, within);
    },
    retryRun: async (runId, within) => {
      await assertOwn(runId, 'retryRun()', within);
      return all.retryRun(runId, within);
    },
    discardRun: async (runId, within) => {
      await assertOwn(runId, 'discardRun()', within);
      return all.discardRun(runId, within);
    },
    retryFailed: async (filter, options) => all.retryFailed(tenancy.confined(filter), options),
    discardFailed: async (filter, options) => all.discardFailed(tenancy.confined(filter), options),

    // Pausing: `{ all: true }` is all of the tenant
    pause: async (scope, options) => {
      const pause = await all.pause(tenancy.scopeOf(scope), options);
      return { ...pause, scope: { all: true } };
    },
    resume: async (scope, within) => all.resume(tenancy.scopeOf(scope), within),
    getPauses: async (within) => {
      const pauses = await all.getPauses(within);
      return pauses
        .filter(({ scope }) => 'namespace' in scope && scope.namespace === tenancy.namespace)
        .map((pause) => ({ ...pause, scope: { all: true } }));
    },
    withTransaction: (manager, work) => all.withTransaction(manager, work),
    withActor: (actor, work) => all.withActor(actor, work),
  };
}
