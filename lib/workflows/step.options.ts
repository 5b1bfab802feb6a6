import { InvalidOptionError } from '../model/errors.js';
import type { HandlerOptions } from '../model/handler.options.js';
import type { WorkflowStep } from '../model/workflow.js';
import type { StepCondition, StepOptions } from '../model/workflow.options.js';
import { handlerOptionsOf } from '../scheduler/handler.options.js';
import { described, knownOptions } from '../scheduler/option.checks.js';
import { stepOrderKeys, stepPolicyKeys } from './planned.step.js';

/** What a step whose code is a function may say. */
export const codeStepKeys = [...stepOrderKeys, ...stepPolicyKeys, 'timeout', 'retryIf', 'when'] as const;
/** What a step may say that calls a handler by its name. */
export const namedStepKeys = [...stepOrderKeys, ...stepPolicyKeys, 'timeout', 'payload', 'map'] as const;
/** What a manual step may say. */
export const manualStepKeys = [...stepOrderKeys, 'queue', 'priority', 'timeout'] as const;

/** The options of a step apart: what is data, and what belongs to its code. Throws InvalidOptionError. */
export function codeStepOptions(
  given: StepOptions,
  owner: string,
  more: readonly string[] = [],
): { data: Omit<WorkflowStep, 'name'>; options: HandlerOptions; when: StepCondition | null } {
  const { when, retryIf, backoff, ...data } = knownOptions(
    given,
    [...codeStepKeys, ...more],
    owner,
  ) as StepOptions;
  if (when !== undefined && typeof when !== 'function') {
    throw new InvalidOptionError('when', `must be a function, but is ${described(when)}.`);
  }
  const rules = {
    ...(retryIf === undefined ? {} : { retryIf }),
    ...(typeof backoff === 'function' ? { backoff } : {}),
  };
  const stored = typeof backoff === 'function' || backoff === undefined ? {} : { backoff };
  return {
    data: { ...data, ...stored },
    options: handlerOptionsOf(rules, owner),
    when: when ?? null,
  };
}
