import { AsyncLocalStorage } from 'node:async_hooks';
import { InvalidOptionError } from '../model/errors.js';

/** The step that code is called by, however deep, and the one whose transaction that is in; null: in none. */
export const insideStep = new AsyncLocalStorage<{ name: string; transaction: string | null }>();

/** Throws InvalidOptionError: one that waits for the connection of another, in a transaction that it keeps open, may wait for ever. */
export function refuseWithinStepTransaction(call: string): void {
  const outer = insideStep.getStore()?.transaction ?? null;
  if (outer === null) return;
  throw new InvalidOptionError(
    call,
    `cannot be begun within the transaction of the step ${JSON.stringify(outer)}, which would stay open for it: make one after the other.`,
  );
}

/** Throws InvalidOptionError within a step. */
export function assertOutside(option: string, does: string, todo: string): void {
  const outer = insideStep.getStore();
  if (outer === undefined) return;
  throw new InvalidOptionError(
    option,
    `the step ${JSON.stringify(outer.name)} ${does}, but a step has to come to its end: ${todo} before or after it.`,
  );
}
