import { InvalidOptionError } from './errors.js';
import { nearestName } from './nearest.name.js';

/** Refuses a key that nobody reads: a schema that is misspelt would mean other tables, without a word. `owner`: what takes the options. Throws InvalidOptionError. */
export function refuseUnknown(owner: string, given: object, known: readonly string[]): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known);
    const hint = near === null ? `There are: ${known.join(', ')}.` : `Did you mean "${near}"?`;
    throw new InvalidOptionError(key, `${owner} has no such option. ${hint}`);
  }
}
