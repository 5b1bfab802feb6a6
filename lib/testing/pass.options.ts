import { InvalidOptionError, meantOption, parseDuration, type DurationInput } from '../index.js';

/** How time passes. @publicApi */
export interface PassOptions {
  /** Let time pass while handlers run, for tests of timeouts and overlap: those that need more than promises are not waited for. @default false */
  whileRunning?: boolean;
  /** Instead of the patience of `create`: milliseconds, or text such as '3 seconds'. */
  patienceMs?: DurationInput;
}

/** The same, checked. */
export interface Pass {
  whileRunning?: boolean;
  patienceMs?: number;
}

export const passKeys = ['whileRunning', 'patienceMs'];

/** Throws InvalidOptionError, InvalidScheduleError (patienceMs). */
export function passOf(options: PassOptions | undefined, owner: string): Pass {
  const { whileRunning, patienceMs } = knownOptions(options ?? {}, passKeys, owner);
  return {
    ...(whileRunning === undefined ? {} : { whileRunning }),
    ...(patienceMs === undefined ? {} : { patienceMs: parseDuration(patienceMs, 'patienceMs') }),
  };
}

/** Refuses keys that nobody would read. */
export function knownOptions<O extends object>(options: O, known: readonly string[], owner: string): O {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', `${owner} takes an object, but was given ${String(options)}.`);
  }
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return options;
  const meant = meantOption(unknown, known);
  const hint = meant === null ? `There are: ${known.join(', ')}.` : `Did you mean "${meant}"?`;
  throw new InvalidOptionError(unknown, `${owner} has no such option. ${hint}`);
}
