import { InvalidOptionError } from '../model/errors.js';
import { lineOfText } from '../scheduler/option.checks.js';

/** What a ChronisModule is called unless it says otherwise, and whose declarations are that name none. */
export const defaultInstance = 'default';

/** The name of an instance, validated. */
export function instanceName(given: unknown): string {
  return given === undefined ? defaultInstance : lineOfText(given, 'instance', 100);
}

/** The instance that a declaration belongs to. Throws InvalidOptionError when there is none of that name. */
export function instanceOf(declared: { instance?: string } | null, known: readonly string[]): string {
  const instance = instanceName(declared?.instance);
  if (known.includes(instance)) return instance;
  const names = known.map((name) => `"${name}"`).join(', ');
  throw new InvalidOptionError(
    'instance',
    `no ChronisModule has the name "${instance}". There are: ${names}.`,
  );
}
