import { InvalidOptionError } from '../model/errors.js';
import { wholeNumber } from './option.checks.js';

/** How far a change of many goes, and who hears of it. @publicApi */
export interface ManyStepOptions {
  /** No more than so many: what has come since they were counted is left as it is. @default all of them */
  most?: number;
  /** Ends it between two steps. What is done stays done, and is what the call resolves with. */
  signal?: AbortSignal;
  /** Called after each step, with how many were looked at so far, and how many of these are different now. */
  onStep?: (soFar: { matched: number; changed: number }) => void;
}

export const stepKeys = ['most', 'signal', 'onStep'] satisfies (keyof ManyStepOptions)[];

/** The steps of one change of many. */
export class ManySteps {
  private matched = 0;
  private readonly most: number;

  /** Throws InvalidOptionError. */
  constructor(private readonly options: ManyStepOptions) {
    const { most, signal, onStep } = options;
    this.most = most === undefined ? Infinity : wholeNumber(most, 'most', 0, Number.MAX_SAFE_INTEGER);
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new InvalidOptionError('signal', 'must be an AbortSignal.');
    if (onStep !== undefined && typeof onStep !== 'function')
      throw new InvalidOptionError('onStep', 'must be a function.');
  }

  /** How many the next page may have, up to `usual`. 0: it is over. */
  next(usual: number): number {
    return this.options.signal?.aborted ? 0 : Math.min(usual, this.most - this.matched);
  }

  done(count: number, changed: number): void {
    this.matched += count;
    this.options.onStep?.({ matched: this.matched, changed });
  }
}
