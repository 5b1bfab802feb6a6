import { openFlow, openingRules } from '../engine/flow.opening.js';
import type { RunContext } from '../engine/run.context.js';
import { StepAttemptContext } from '../engine/step.attempt.context.js';
import { pinnedKey } from '../model/definition.js';
import { NoWorkflowStepError, UnrecoverableError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import { toJson, type JsonValue } from '../model/json.js';
import type { PayloadSchema } from '../model/payload.schema.js';
import type { WorkflowDefinition } from '../model/workflow.js';
import type { StepCondition } from '../model/workflow.options.js';
import type { NewFlowStep } from '../ports/flows.js';
import { described } from '../scheduler/option.checks.js';
import { flowSteps, type PlannedStep } from './planned.step.js';
import { planOf, type WorkflowPlan } from './workflow.plan.js';

/** The code of a step. */
export interface StepFunction {
  run: (context: any) => unknown;
  options: HandlerOptions;
  /** null: it always has something to do. */
  when: StepCondition | null;
  /** Called with the results that `loads` names, before `run`. */
  loaded?: (context: RunContext, results: Readonly<Record<string, JsonValue>>) => void;
  /** Parents whose results are read before it is called. */
  loads?: readonly string[];
}

/** A workflow with its code. */
export interface WorkflowCode {
  definition: WorkflowDefinition;
  /** Of its params; null: any are taken. */
  schema: PayloadSchema | null;
  /** Of the steps that have some, by name. */
  steps: ReadonlyMap<string, StepFunction>;
  /** Of its definition, once that is stored: its runs open as that. */
  version?: number;
  /** The plan of a stored version of it, for runs that are to open as that; null: it is not there any more. */
  planOfVersion?: (version: number) => Promise<WorkflowPlan | null>;
}

/** A handler that a workflow brings. */
export interface WorkflowHandler {
  name: string;
  run: (context: RunContext) => unknown;
  options: HandlerOptions;
}

/** As much as a payload may have: it was checked as one. */
const paramsLimit = 67_108_864;

/** What opens the workflow, and what its steps call, under the names of the workflow and of the steps. Throws InvalidWorkflowError. */
export function workflowHandlers(code: WorkflowCode): WorkflowHandler[] {
  const { definition, schema, steps } = code;
  const plan = planOf(definition);
  const opening = {
    name: plan.name,
    run: openingOf(plan, code),
    options: { ...openingRules, ...(schema === null ? {} : { schema }) },
  };
  const ofSteps = plan.steps.flatMap((step) => {
    const own = steps.get(step.name);
    if (own !== undefined) return [{ name: step.handler, run: calling(step, own), options: own.options }];
    // So that no job calls it either.
    if (step.kind === 'manual') return [{ name: step.handler, run: refuseManual(step), options: {} }];
    return [];
  });
  return [opening, ...ofSteps];
}

/** The handler that leaves its run open as the workflow: as the code has it, or as the version that the metadata of its job ask for. */
export function openingOf(
  own: WorkflowPlan,
  code: Pick<WorkflowCode, 'version' | 'planOfVersion'>,
): (context: RunContext) => void | Promise<void> {
  const open = (
    context: RunContext,
    { timeoutMs }: WorkflowPlan,
    version: number | null,
    steps: NewFlowStep[],
  ) => {
    // What the schema gives, which may hold Dates.
    const params = toJson(context.payload ?? null, 'payload', paramsLimit, true);
    openFlow(context, { workflow: own.name, version, params, steps }, timeoutMs);
  };
  return (context) => {
    const { queue, priority, metadata } = context.job;
    const defaults = { queue, priority };
    const pinned = metadata[pinnedKey];
    const { version = null } = code;
    if (pinned === undefined || pinned === version)
      return open(context, own, version, flowSteps(own.steps, defaults));
    return storedPlan(own.name, pinned, code).then((plan) =>
      open(context, plan, pinned as number, flowSteps(plan.steps, defaults)),
    );
  };
}

/** Throws UnrecoverableError: no later attempt finds it either. */
async function storedPlan(
  name: string,
  version: unknown,
  { planOfVersion }: Pick<WorkflowCode, 'planOfVersion'>,
): Promise<WorkflowPlan> {
  const plan = typeof version === 'number' ? await planOfVersion?.(version) : null;
  if (plan) return plan;
  throw new UnrecoverableError(
    `The version ${String(version)} of the workflow "${name}", which the metadata of the job ask for (${pinnedKey}), is not there any more. DefinitionService.list() shows those that are; start one of them.`,
  );
}

function calling(step: PlannedStep, code: StepFunction): (context: RunContext) => unknown {
  const { run, when, loads = [], loaded } = code;
  const parents = step.after.filter(({ data }) => data).map(({ parent }) => parent);
  const ask = when === null ? [] : parents;
  const read = [...new Set([...ask, ...loads])];
  const call = async (context: StepAttemptContext): Promise<unknown> => {
    const results = await StepAttemptContext.allOf(context, read);
    const { params, item } = context;
    if (when !== null) {
      const isWanted: unknown = await when(pick(results, ask), { params, item });
      if (typeof isWanted !== 'boolean') throw neither(isWanted);
      if (!isWanted) return context.skip('Its condition "when" is not met.');
    }
    loaded?.(context, results);
    return run(context);
  };
  return (context) => {
    if (!(context instanceof StepAttemptContext)) throw new NoWorkflowStepError(step.handler);
    return when === null && read.length === 0 ? run(context) : call(context);
  };
}

/** Another attempt would ask the same. */
function neither(answer: unknown): UnrecoverableError {
  return new UnrecoverableError(
    `when: must return true or false, but returned ${described(answer)}. Say what is meant, such as: results.charge !== null.`,
  );
}

function refuseManual(step: PlannedStep): () => never {
  return () => {
    throw new NoWorkflowStepError(step.handler);
  };
}

function pick(
  results: Readonly<Record<string, JsonValue>>,
  names: readonly string[],
): Record<string, JsonValue> {
  return Object.fromEntries(names.map((name) => [name, results[name]!]));
}
