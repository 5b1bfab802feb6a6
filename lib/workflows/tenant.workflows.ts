import type { Tenancy } from '../scheduler/tenancy.js';
import type { ManagerOption } from '../scheduler/job.access.js';
import type { StepRef } from './workflow.graph.js';
import type { WorkflowService } from './workflow.service.js';
import type { WorkflowInput } from './workflow.start.js';

/** The WorkflowService of one tenant: the methods that start, show and change workflows, for those in its own namespace. Others' are as if they did not exist. @publicApi */
export type TenantWorkflows = Omit<WorkflowService, 'register' | 'prune' | 'plan' | 'forTenant' | 'assertIn'>;

/** Hands each call on, kept within the tenant. */
export function confinedWorkflows(all: WorkflowService, tenancy: Tenancy): TenantWorkflows {
  /** Runs never change their namespace, so nothing can happen between this and what follows. */
  const own = async <T>(
    ref: string | Pick<StepRef, 'runId'>,
    call: () => Promise<T>,
    within?: ManagerOption,
  ): Promise<T> => {
    await all.assertIn(tenancy.namespace, ref, within);
    return call();
  };
  return {
    start: async (workflow: WorkflowInput, options?: object, within?: ManagerOption) => {
      const { handler: _, ...marked } = tenancy.marked({ ...options, handler: workflow });
      return all.start(workflow as string, marked, within);
    },
    get: async (runId, within) => {
      const found = await all.get(runId, within);
      return found?.namespace === tenancy.namespace ? found : null;
    },
    list: async (query, within) => all.list(tenancy.confined(query), within),
    graph: async (runId, options) => {
      const found = await all.graph(runId, options);
      return found?.namespace === tenancy.namespace ? found : null;
    },
    cancel: async (runId, within) => own({ runId }, () => all.cancel(runId, within), within),
    pause: async (runId, within) => own({ runId }, () => all.pause(runId, within), within),
    resume: async (runId, within) => own({ runId }, () => all.resume(runId, within), within),
    retry: async (runId, options) => own({ runId }, () => all.retry(runId, options), options),
    complete: async (ref, result, options) => own(ref, () => all.complete(ref, result, options), options),
    fail: async (ref, error, options) => own(ref, () => all.fail(ref, error, options), options),
  };
}
