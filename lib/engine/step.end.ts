import { InvalidOptionError } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { StepEnd } from '../ports/flows.js';
import type { AddedStep } from './step.context.js';

/** What steps that a step adds come to. */
export interface CheckedSteps {
  end: Required<Pick<StepEnd, 'added' | 'joined'>>;
  /** Asks the storage whether somebody has their handlers: the error for one that nobody has, or null. Null: there is nothing to ask. */
  ask: (() => Promise<Error | null>) | null;
}

/** Checks steps that a step adds to its workflow, beside those that it has added before, and makes of them what is stored. Throws InvalidWorkflowError. */
export type AddedSteps = (steps: readonly AddedStep[], run: ClaimedRun, before: StepEnd) => CheckedSteps;

/** Of an engine that is given none. */
export const refuseAdded: AddedSteps = () => {
  throw new InvalidOptionError('context.addSteps()', 'this process adds no steps to workflows.');
};

/** What is known of the end of a step, and what comes to it. */
export function growth(known: StepEnd | null, more: StepEnd): StepEnd {
  const { added = [], joined = [], skipped = null } = known ?? {};
  return {
    skipped: more.skipped ?? skipped,
    added: [...added, ...(more.added ?? [])],
    joined: [...joined, ...(more.joined ?? [])],
  };
}

export function refuseOpenedStep(call: string): never {
  throw new InvalidOptionError(
    call,
    'a step that is left open gets its verdict from outside, with which it can neither be skipped nor add steps. Leave context.open() out, or context.skip() and context.addSteps().',
  );
}
