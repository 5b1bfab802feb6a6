import { InvalidOptionError } from '../model/errors.js';
import { nearestName } from '../model/nearest.name.js';
import { described } from '../triggers/refuse.js';
import { knownOptions } from './known.options.js';

export { described, knownOptions };

const unprintable = /[\p{Cc}\p{Surrogate}]/u;

/** Of who creates jobs and who queries them. */
export const managerHint = { manager: 'Give it as an argument of its own, the last one: { manager }.' };

/**
 * Refuses conditions that are undefined, where what meets them is changed: a variable that was not set would make it all there is. Queries take them as
 * conditions that were left out.
 */
export function givenConditions(filter: object, owner: string): void {
  for (const [key, value] of Object.entries(filter)) {
    if (value !== undefined) continue;
    throw new InvalidOptionError(
      key,
      `is undefined, so ${owner} would take whatever its ${key} is. Give a value, or leave the key out if that is meant.`,
    );
  }
}

/** A whole number in its bounds. */
export function wholeNumber(value: unknown, option: string, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new InvalidOptionError(
    option,
    `must be a whole number from ${least} to ${most}, but is ${described(value)}.`,
  );
}

/** One of some words. */
export function oneOf<const T extends string>(value: unknown, option: string, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  const near = typeof value === 'string' ? nearestName(value, allowed) : null;
  throw new InvalidOptionError(
    option,
    `must be ${allowed.map((word) => `'${word}'`).join(' or ')}, but is ${described(value)}.${near ? ` Did you mean '${near}'?` : ''}`,
  );
}

/** A non-empty text of one line. */
export function lineOfText(value: unknown, option: string, maxLength = 255): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new InvalidOptionError(option, `must be a non-empty text, but is ${described(value)}.`);
  }
  if (value.length > maxLength) {
    throw new InvalidOptionError(
      option,
      `must be at most ${maxLength} characters long, but has ${value.length}.`,
    );
  }
  if (unprintable.test(value)) {
    throw new InvalidOptionError(
      option,
      'must not hold control characters, line breaks or halves of surrogate pairs.',
    );
  }
  return value;
}

export function trueOrFalse(value: unknown, option: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(option, `must be true or false, but is ${described(value)}.`);
}
