import { openFlow } from '../engine/flow.opening.js';
import type { RunContext } from '../engine/run.context.js';
import { definitionReference, type Definition } from '../model/definition.js';
import { InvalidOptionError, UnrecoverableError } from '../model/errors.js';
import { toJson, type JsonObject, type JsonValue } from '../model/json.js';
import type { WorkflowDefinition } from '../model/workflow.js';
import type { NewFlowStep, StorageAdapter } from '../ports/storage.adapter.js';
import { knownOptions } from '../scheduler/option.checks.js';
import { flowSteps } from '../workflows/planned.step.js';
import { planOf, type WorkflowPlan } from '../workflows/workflow.plan.js';
import { aboutKeys, workflowDefinitionKeys, type DataWorkflow } from './definition.options.js';
import { assertTemplate, filledTemplate } from './payload.template.js';

/** What is stored of it: its graph, and what was given of its jobs. */
type WorkflowSpec = JsonObject & Pick<WorkflowDefinition, 'timeout'> & { steps: JsonValue[] };

/** Of the kind `workflow`. Throws InvalidOptionError, InvalidPayloadError, InvalidWorkflowError. */
export function workflowSpec(given: DataWorkflow, limitBytes: number): WorkflowSpec {
  knownOptions(given, workflowDefinitionKeys, 'define()', {
    id: 'Give the id of a job when you start it: start(name, { key }).',
    at: 'Give it when you start it: start(name, { at }).',
    in: 'It is called "delay" here, and counts from the start on.',
    payload: 'Each step has its own; without one it gets the params.',
    maxRetries: 'It belongs to a step.',
    backoff: 'It belongs to a step.',
  });
  const said = Object.entries(given).filter(
    ([key, value]) => !aboutKeys.includes(key) && value !== undefined,
  );
  const spec = toJson(Object.fromEntries(said), 'definition', limitBytes) as WorkflowSpec;
  for (const { name, payload } of planOfDefinition(given.name, spec).steps)
    assertTemplate(payload, `the payload of the step "${name}"`);
  return spec;
}

/** Throws InvalidWorkflowError. */
export function planOfDefinition(name: string, { steps, timeout }: JsonObject): WorkflowPlan {
  return planOf({
    name,
    steps,
    ...(timeout === undefined ? {} : { timeout }),
  } as unknown as WorkflowDefinition);
}

/** The handlers that its steps call. */
export function handlersOf({ steps }: WorkflowPlan): string[] {
  return [...new Set(steps.filter(({ kind }) => kind === 'handler').map(({ handler }) => handler))];
}

/** What the job of a start carries: which version its runs open, and with what. */
export interface OpeningPayload {
  definition: string;
  version: number;
  params: JsonValue;
}

/** Throws InvalidPayloadError: the params lack what a step needs. */
export function openingPayload({ name, version, spec }: Definition, params: JsonValue): JsonObject {
  filledSteps(planOfDefinition(name, spec), params, { queue: 'default', priority: 5 });
  return { definition: name, version, params };
}

/** The handler of that name. */
export function opensDefined(storage: StorageAdapter): (context: RunContext) => Promise<void> {
  return async (context) => {
    const { queue, priority, namespace } = context.job;
    const { definition: name, version, params } = openingOf(context);
    const found = await storage.definitions?.getDefinition({ namespace, name }, version);
    if (!found) {
      const reference = definitionReference({ name, version });
      throw new UnrecoverableError(
        `The definition ${reference} is not there any more in the namespace "${namespace}": it was deleted, and then removed, as no job named it in its metadata (chronis_definition). Define it, and start it anew.`,
      );
    }
    const plan = planOfDefinition(name, found.spec);
    const steps = filledSteps(plan, params, { queue, priority });
    openFlow(context, { workflow: name, version, params, steps }, plan.timeoutMs);
  };
}

/** Throws UnrecoverableError: somebody else has made the job. */
function openingOf({ payload, job }: RunContext): OpeningPayload {
  const { definition, version } = (payload ?? {}) as Partial<OpeningPayload>;
  if (typeof definition === 'string' && typeof version === 'number')
    return payload as unknown as OpeningPayload;
  throw new UnrecoverableError(
    `The handler "${job.handler}" opens workflows that are data, and the payload names none. Start one by DefinitionService.start(), or make jobs of a workflow in code by its name.`,
  );
}

function filledSteps(
  { steps }: WorkflowPlan,
  params: JsonValue,
  defaults: { queue: string; priority: number },
): NewFlowStep[] {
  return flowSteps(steps, defaults).map((step) => ({
    ...step,
    payload: step.payload === null ? null : filledTemplate(step.payload, params),
  }));
}

/** Throws InvalidOptionError: it is none, or several. */
export function kindOf(given: object): Definition['kind'] {
  const { handler, task, steps } = given as { handler?: unknown; task?: unknown; steps?: unknown };
  const kinds = Object.entries({ handler, task, steps }).filter(([, value]) => value !== undefined);
  const [first, another] = kinds.map(([key]) => key);
  if (first !== undefined && another === undefined) {
    return first === 'steps' ? 'workflow' : (first as 'handler' | 'task');
  }
  throw new InvalidOptionError(
    another ?? 'handler',
    another === undefined
      ? 'is missing. Give the name of a handler, a "task", or the "steps" of a workflow.'
      : `is given beside "${first}". A definition is of a handler, of a task, or of a workflow with steps.`,
  );
}
