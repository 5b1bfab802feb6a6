import type { ManualStepMethodOptions, StepMethodOptions } from '../model/workflow.options.js';
import { annotates, assertCalled, inheritedAnnotationsOf } from './annotation.js';

/** What one decorator says about its method. Nothing is checked before the application boots. */
export type StepAnnotation =
  | { kind: 'step'; options: StepMethodOptions }
  | { kind: 'manual'; options: ManualStepMethodOptions };

const metadataKey = 'chronis:steps';

/**
 * Makes the method a step of its class, which has `@Workflow`: it is called once `after` have ended, with the StepContext unless it takes no parameter. What it returns is for those that come after it: JSON of up to 1 MiB. Mistakes are reported when the
 * application boots. @publicApi
 */
export function Step(options: StepMethodOptions = {}): MethodDecorator {
  assertCalled('@Step', [options, undefined]);
  return annotates(metadataKey, '@Step', { kind: 'step', options });
}

/**
 * Makes the method the name of a step whose verdict comes from outside, by `workflows.complete({ runId, step }, result)` or `fail`. The method itself is never called. @publicApi
 */
export function ManualStep(options: ManualStepMethodOptions = {}): MethodDecorator {
  assertCalled('@ManualStep', [options, undefined]);
  return annotates(metadataKey, '@ManualStep', { kind: 'manual', options });
}

/** What is said of the method, also where a class has it that this one extends. */
export function stepAnnotationsOf(prototype: object, method: string): readonly StepAnnotation[] {
  return inheritedAnnotationsOf(metadataKey, prototype, method) as readonly StepAnnotation[];
}
