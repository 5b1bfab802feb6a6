import { WorkflowRunNotFoundError } from '../model/errors.js';
import type { Tenancy } from '../scheduler/tenancy.js';
import type { ManagerOption } from '../scheduler/job.access.js';
import type { StepRef } from './workflow.graph.js';
import type { WorkflowService } from './workflow.service.js';
import type { WorkflowInput } from './workflow.start.js';

/** The WorkflowService of one tenant: the methods that start, show and change workflows, for those in its own namespace. Others' are as if they did not exist. @publicApi */
export type TenantWorkflows = Omit<
  WorkflowService,
  'register' | 'prune' | 'plan' | 'forTenant' | 'assertStepIn'
>;

/** Hands each call on, kept within the tenant. */
export function confinedWorkflows(all: WorkflowService, tenancy: Tenancy): TenantWorkflows {
  /** Runs never change their namespace, so nothing can happen between this and what follows. */
  const own = async <T>(runId: string, call: () => Promise<T>): Promise<T> => {
    const found = await all.get(runId);
    if (found === null || found.namespace !== tenancy.namespace) throw new WorkflowRunNotFoundError(runId);
    return call();
  };
  const ofStep = async <T>(ref: string | StepRef, call: () => Promise<T>): Promise<T> => {
    if (typeof ref === 'object' && ref !== null) return own(ref.runId, call);
    await all.assertStepIn(ref, tenancy.namespace);
    return call();
  };
  return {
    start: async (workflow: WorkflowInput, options?: object, within?: ManagerOption) => {
      const { handler: _, ...marked } = tenancy.marked({ ...options, handler: workflow });
      return all.start(workflow as string, marked, within);
    },
    get: async (runId) => {
      const found = await all.get(runId);
      return found?.namespace === tenancy.namespace ? found : null;
    },
    list: async (query) => all.list(tenancy.confined(query)),
    graph: async (runId, options) => {
      const found = await all.graph(runId, options);
      return found?.namespace === tenancy.namespace ? found : null;
    },
    cancel: async (runId, within) => own(runId, () => all.cancel(runId, within)),
    pause: async (runId) => own(runId, () => all.pause(runId)),
    resume: async (runId) => own(runId, () => all.resume(runId)),
    retry: async (runId, options) => own(runId, () => all.retry(runId, options)),
    complete: async (ref, result, options) => ofStep(ref, () => all.complete(ref, result, options)),
    fail: async (ref, error, options) => ofStep(ref, () => all.fail(ref, error, options)),
  };
}
