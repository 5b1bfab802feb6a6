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
  for (const [key, help] of unknownKeys(given, known)) {
    const end = help.endsWith('?') ? '' : '.';
    throw new InvalidOptionError(key, `${owner} has no such option. ${help}${end}`);
  }
  return given;
}

/** Tells each option of a task that nobody would read. */
export function tellUnknown(
  task: object,
  known: readonly string[],
  tell: (message: string, key: string) => void,
): void {
  for (const [key, help] of unknownKeys(task, known)) tell(`there is no such option. ${help}`, key);
}

/** With what may have been meant. */
function unknownKeys(given: object, known: readonly string[]): [key: string, help: string][] {
  return Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const meant = meantOption(key, known);
      return [key, meant ? `Did you mean "${meant}"?` : `There are: ${known.join(', ')}`];
    });
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
