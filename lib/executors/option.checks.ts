import { InvalidOptionError, meantOption } from '../index.js';

/** Throws InvalidOptionError for what is no object, and for a key that nobody would read. */
export function knownOptions<O extends object>(
  given: O,
  known: readonly (keyof O & string)[],
  owner: string,
): O {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError(owner, `takes an object, but was given ${shown(given)}.`);
  }
  for (const key of Object.keys(given)) {
    if ((known as readonly string[]).includes(key)) continue;
    const meant = meantOption(key, known);
    throw new InvalidOptionError(
      key,
      `${owner} has no such option. ${meant ? `Did you mean "${meant}"?` : `There are: ${known.join(', ')}.`}`,
    );
  }
  return given;
}

/** A list of texts of which each fits. Throws InvalidOptionError. */
export function listOf(
  given: unknown,
  option: string,
  what: string,
  fits: (text: string) => boolean,
): string[] {
  if (!Array.isArray(given))
    throw new InvalidOptionError(option, `must be a list of ${what}, but is ${shown(given)}.`);
  for (const item of given as unknown[]) {
    if (typeof item === 'string' && fits(item)) continue;
    throw new InvalidOptionError(option, `must be a list of ${what}, but ${shown(item)} is none.`);
  }
  return [...new Set(given as string[])];
}

/** A value for a message, and of text no more than its begin. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return value === null ? 'null' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value as number | boolean | undefined);
}
