import { InvalidOptionError } from '../model/errors.js';
import { described } from '../triggers/refuse.js';
import { meantOption } from './meant.option.js';

/**
 * Gives the options, and refuses keys that nobody would read, with the one that was probably meant. `owner` is who has the options, for the
 * message; `hints` tell where keys belong that are often looked for here.
 */
export function knownOptions(
  given: unknown,
  known: readonly string[],
  owner: string,
  hints: Readonly<Record<string, string>> = {},
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidOptionError('options', `${owner} takes an object, but was given ${described(given)}.`);
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = meantOption(key, known);
    const hint = near ? `Did you mean "${near}"?` : `There are: ${known.join(', ')}.`;
    throw new InvalidOptionError(
      key,
      `${owner} has no such option. ${Object.hasOwn(hints, key) ? hints[key] : hint}`,
    );
  }
  return given as Readonly<Record<string, unknown>>;
}
