import { isOwnHandler, workflowHandler } from '../engine/own.handlers.js';
import { InvalidOptionError } from '../model/errors.js';
import { toJson } from '../model/json.js';
import type { Policies } from '../model/policies.js';
import type { StepNeed, WorkflowStep } from '../model/workflow.js';
import type { NewFlowStep } from '../ports/flows.js';
import { handlerName, queueName } from '../scheduler/names.js';
import { described, knownOptions, lineOfText, oneOf, trueOrFalse } from '../scheduler/option.checks.js';
import { policiesOf, priorityOf } from '../scheduler/policy.options.js';
import { parseDelay, parseDuration } from '../triggers/duration.js';
import { withTask } from '../tasks/task.option.js';
import { parentsOf } from './step.parents.js';
import { maxWorkflowName, stepNamePattern } from './workflow.limits.js';

/** A step as it is stored, but for what it takes from the run of its workflow where it says nothing itself. */
export interface PlannedStep extends Omit<NewFlowStep, 'queue' | 'priority'> {
  queue: string | null;
  priority: number | null;
}

export const stepOrderKeys = ['after', 'need', 'otherwise', 'delay', 'allowFailure'] as const;
export const stepPolicyKeys = ['queue', 'priority', 'maxRetries', 'backoff', 'recovery', 'maxLost'] as const;
const stepKeys = [
  'name',
  'handler',
  'task',
  'workflow',
  'manual',
  'map',
  'timeout',
  'payload',
  ...stepOrderKeys,
  ...stepPolicyKeys,
] as const satisfies readonly (keyof WorkflowStep)[];

const namePattern = new RegExp(stepNamePattern, 'u');
const payloadLimit = 1_048_576;

/** The step by itself, checked; what it has to do with others is not looked at. Throws InvalidOptionError, InvalidScheduleError, InvalidPayloadError. */
export function plannedStep(workflow: string, given: WorkflowStep): PlannedStep {
  const known = knownOptions(given, stepKeys, 'a step', {
    when: 'It is a function, which data cannot hold: give it to @Step or to the builder.',
  }) as unknown as WorkflowStep;
  if (known.task !== undefined) assertTaskAlone(known);
  const isTask = known.task !== undefined;
  const step = withTask(known);
  const name = stepName(step.name);
  const after = parentsOf(step.after);
  const manual = step.manual === undefined ? false : trueOrFalse(step.manual, 'manual');
  const map = step.map === undefined ? false : trueOrFalse(step.map, 'map');
  assertMap(map, after);
  assertOneKind(step, manual, map);
  const timeoutMs =
    step.timeout === undefined || step.timeout === null ? null : parseDuration(step.timeout, 'timeout');
  return {
    name,
    after,
    need: neededOf(step, after.length, map),
    otherwise: otherwiseOf(step.otherwise, after.length),
    delayMs: step.delay === undefined ? 0 : parseDelay(step.delay, 'delay'),
    allowFailure: step.allowFailure === undefined ? false : trueOrFalse(step.allowFailure, 'allowFailure'),
    map,
    kind: manual ? 'manual' : 'handler',
    deadlineMs: manual ? timeoutMs : null,
    handler: handlerOf(workflow, name, step),
    queue: step.queue === undefined ? null : queueName(step.queue),
    priority: step.priority === undefined ? null : priorityOf(step.priority),
    policies: manual ? {} : stepPolicies(step, timeoutMs),
    payload:
      step.payload === undefined ? null : toJson(step.payload, isTask ? 'task' : 'payload', payloadLimit),
  };
}

/** The steps as a run of the workflow opens with them, or gets them added. Whoever has it ends a manual one at its deadline: no code has a handler for a step that was added, or that a release has removed. */
export function flowSteps(
  steps: readonly PlannedStep[],
  { queue, priority }: { queue: string; priority: number },
): NewFlowStep[] {
  return steps.map((step) => ({
    ...step,
    handler: step.kind === 'manual' ? workflowHandler : step.handler,
    queue: step.queue ?? queue,
    priority: step.priority ?? priority,
  }));
}

/** A name that a step may have. Throws InvalidOptionError. */
export function stepName(given: unknown, option = 'name'): string {
  if (typeof given === 'string' && namePattern.test(given)) return given;
  throw new InvalidOptionError(
    option,
    `must be 1 to 100 letters, digits, "_", "-" or "$", but is ${described(given)}.`,
  );
}

function handlerOf(workflow: string, name: string, step: WorkflowStep): string {
  if (step.workflow !== undefined) return lineOfText(step.workflow, 'workflow', maxWorkflowName);
  const handler = step.handler === undefined ? `${workflow}.${name}` : handlerName(step.handler);
  if (!isOwnHandler(handler)) return handler;
  throw new InvalidOptionError(
    'handler',
    `"${handler}" opens workflows that are data. Name the one that the step is: { workflow: name }.`,
  );
}

function assertTaskAlone({ workflow, manual, map }: WorkflowStep): void {
  const other = Object.entries({ workflow, manual, map }).find(
    ([, value]) => value !== undefined && value !== false,
  )?.[0];
  if (other === undefined) return;
  const why =
    other === 'map'
      ? 'each instance of a map gets its item as its payload, and a task has its own. Let a handler create jobs with the tasks.'
      : 'a step is a handler, a task, a workflow, or manual. Leave one of them out.';
  throw new InvalidOptionError(other, `is given beside "task": ${why}`);
}

function assertOneKind(step: WorkflowStep, manual: boolean, map: boolean): void {
  if (step.handler !== undefined && step.workflow !== undefined) {
    throw new InvalidOptionError('workflow', 'a step is a handler or a workflow. Leave one of them out.');
  }
  if (manual) {
    for (const key of [
      'handler',
      'workflow',
      'payload',
      'maxRetries',
      'backoff',
      'recovery',
      'maxLost',
    ] as const) {
      if (step[key] === undefined) continue;
      throw new InvalidOptionError(
        key,
        'is for a step that calls something; one with manual: true waits for complete() or fail(). Leave it out.',
      );
    }
  }
  if (map && step.payload !== undefined) {
    throw new InvalidOptionError(
      'payload',
      'with map: true each instance gets its item as its payload. Leave it out.',
    );
  }
}

function assertMap(map: boolean, after: PlannedStep['after']): void {
  if (!map) return;
  const data = after.filter((edge) => edge.data).map(({ parent }) => `"${parent}"`);
  if (data.length === 1) return;
  throw new InvalidOptionError(
    'map',
    data.length === 0
      ? 'has no list to go through: name the step that returns it in "after".'
      : `has several lists, of ${data.join(', ')}. Keep one of them, and make of the others { step, order: true }.`,
  );
}

function neededOf({ need }: WorkflowStep, parents: number, map: boolean): number {
  const needed = needOf(need, parents);
  if (!map || needed === parents) return needed;
  throw new InvalidOptionError(
    'need',
    "must be 'all' for a map, which cannot begin before its list is there. Leave it out, or put a step between that needs some of them.",
  );
}

function needOf(need: StepNeed | undefined, parents: number): number {
  if (need === undefined) return parents;
  if (parents === 0)
    throw new InvalidOptionError(
      'need',
      'is for a step with parents. Leave it out, or name some in "after".',
    );
  if (need === 'all') return parents;
  if (need === 'any') return 1;
  if (typeof need === 'number' && Number.isInteger(need) && need >= 1 && need <= parents) return need;
  throw new InvalidOptionError(
    'need',
    `must be 'all', 'any' or a whole number from 1 to ${parents}, the number of its parents, but is ${described(need)}.`,
  );
}

function otherwiseOf(otherwise: unknown, parents: number): NewFlowStep['otherwise'] {
  if (otherwise === undefined) return 'block';
  if (parents === 0) {
    throw new InvalidOptionError(
      'otherwise',
      'is for a step with parents. Leave it out, or name some in "after".',
    );
  }
  return oneOf(otherwise, 'otherwise', ['block', 'cancel', 'run']);
}

function stepPolicies(step: WorkflowStep, timeoutMs: number | null): Partial<Policies> {
  const { maxRetries, backoff, recovery, maxLost } = step;
  const given = Object.entries({ maxRetries, backoff, recovery, maxLost });
  const policies = policiesOf(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  return timeoutMs === null ? policies : { ...policies, timeoutMs };
}
