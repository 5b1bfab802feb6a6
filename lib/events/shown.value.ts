import { inspect } from 'node:util';
import { isA } from '../model/thrown.js';
import { withoutPasswords } from './without.passwords.js';

const unshowable = 'An error that cannot be shown as text.';

const inspection = {
  depth: 2,
  maxArrayLength: 20,
  maxStringLength: 500,
  breakLength: Infinity,
  customInspect: false,
};

/** More keys than that take Node long to write down. */
const mostKeys = 1_000;

/** What of a text is looked through, where less of it is shown. */
const longestRaw = 65_536;

/** Of a depth and length that a log bears, without passwords. */
export function shownValue(value: unknown, longest: number): string {
  const text = read(() => ownText(value)) ?? read(() => inspected(value)) ?? unshowable;
  // Before the cut: what is left of a URL is not seen to be one.
  return cut(withoutPasswords(text.slice(0, longestRaw)), longest);
}

/** Getters and traps may throw: nothing is there, then. */
export function read<T>(from: () => T): T | undefined {
  try {
    return from();
  } catch {
    return undefined;
  }
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function inspected(value: unknown): string {
  if (keysIn(value, 0) <= mostKeys) return inspect(value, inspection);
  const own = Object.keys(value as object).length;
  return own <= mostKeys ? inspect(value, { ...inspection, depth: 0 }) : `An object with ${own} keys.`;
}

/** Of all objects that would be shown; stops where there are too many. */
function keysIn(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return 0;
  const isList = Array.isArray(value);
  const keys = isList
    ? [...value.slice(0, inspection.maxArrayLength).keys()].map(String)
    : Object.keys(value);
  let sum = isList ? 0 : keys.length;
  if (sum > mostKeys || depth === inspection.depth) return sum;
  for (const key of keys) {
    sum += keysIn(Object.getOwnPropertyDescriptor(value, key)?.value, depth + 1);
    if (sum > mostKeys) break;
  }
  return sum;
}

/** What it makes of itself, such as a URL; undefined: nothing that says anything. */
function ownText(value: unknown): string | undefined {
  if (typeof value === 'function' || Array.isArray(value)) return undefined;
  if (isA(value, Date)) return value.toJSON();
  const text = String(value);
  return typeof value === 'object' && /^(\[object .*\])?$/.test(text) ? undefined : text;
}
