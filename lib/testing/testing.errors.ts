import { ChronisError } from '../index.js';

/** A test asks for what cannot come: a handler that does not end, a run that nobody executes. The message names it and the fix. @publicApi */
export class ChronisTestingError extends ChronisError {
  constructor(problem: string, options?: { cause?: unknown }) {
    super('CHRONIS_TESTING', problem, options);
  }
}
