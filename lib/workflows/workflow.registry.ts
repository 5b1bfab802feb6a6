import type { HandlerDefaults } from '../scheduler/handler.reference.js';
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
  private readonly workflows = new Map<string, KnownWorkflow>();

  add(code: WorkflowCode, defaults: HandlerDefaults): void {
    const plan = planOf(code.definition);
    this.workflows.set(plan.name, { plan, code, defaults });
  }

  all(): KnownWorkflow[] {
    return [...this.workflows.values()];
  }

  get(name: string): KnownWorkflow | undefined {
    return this.workflows.get(name);
  }
}
