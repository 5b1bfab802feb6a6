import { planOfDefinition } from '../definitions/workflow.definition.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';
import type { HandlerDefaults } from '../scheduler/handler.reference.js';
import { namespaceOf } from '../scheduler/job.identity.js';
import type { WorkflowCode } from './workflow.code.js';
import { planOf, type WorkflowPlan } from './workflow.plan.js';

/** A workflow whose code this process has. */
export interface KnownWorkflow {
  plan: WorkflowPlan;
  code: WorkflowCode;
  /** What its runs get that are started by its name. */
  defaults: HandlerDefaults;
}

/** The workflows of this process by name; their handlers are in the HandlerRegistry. */
export class WorkflowRegistry {
  constructor(private readonly storage: Pick<StorageAdapter, 'definitions'>) {}

  private readonly workflows = new Map<string, KnownWorkflow>();

  add(code: WorkflowCode, defaults: HandlerDefaults): void {
    const plan = planOf(code.definition);
    const { name } = plan;
    const ref = { namespace: namespaceOf(defaults.namespace), name };
    code.planOfVersion = async (version) => {
      const found = await this.storage.definitions?.getDefinition(ref, version);
      return found ? planOfDefinition(name, found.spec) : null;
    };
    this.workflows.set(name, { plan, code, defaults });
  }

  all(): KnownWorkflow[] {
    return [...this.workflows.values()];
  }

  get(name: string): KnownWorkflow | undefined {
    return this.workflows.get(name);
  }
}
