import { InvalidPayloadError } from './errors.js';
import { convertedToJson, maxDepth } from './json.conversion.js';
import { shownPath } from './shown.path.js';

/** A value that survives JSON unchanged: what payloads, metadata and results are made of. @publicApi */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object. @publicApi */
export type JsonObject = { [key: string]: JsonValue };

/** Where this is wanted the value is not JSON, for the reason that its name gives. @publicApi */
export interface NotJson<Reason extends string> {
  '~not JSON': Reason;
}

/**
 * `T` as it may be given where JSON is stored: itself where it is JSON, interfaces and objects with `toJSON()` included, and something that nothing fits at the
 * place of all else. @publicApi
 */
export type JsonInput<T> = [T] extends [JsonValue]
  ? T
  : [unknown] extends [T]
    ? JsonValue
    : T extends Date
      ? NotJson<'a Date: give toISOString(), or a handler with a schema'>
      : T extends { toJSON(): unknown }
        ? T
        : T extends (...args: never[]) => unknown
          ? NotJson<'a function'>
          : T extends undefined
            ? NotJson<'undefined: leave the key out, or give null'>
            : T extends bigint | symbol
              ? NotJson<'a bigint or symbol'>
              : T extends object
                ? { [K in keyof T]: JsonInput<T[K]> }
                : T;

const loneSurrogate = /\p{Surrogate}/u;

/**
 * A copy of `value` if it is JSON that every storage keeps exactly. `what` names it in the error and is the root of the culprit's
 * path (`payload.items[3].price`). An object with a `toJSON()` of its own is what that returns; where a schema checks the result (`hasSchema`), Dates, class
 * instances and keys with undefined are taken as JSON takes them.
 *
 * Throws InvalidPayloadError for everything that JSON would drop, change or refuse (undefined, functions, symbols, BigInt, NaN,
 * Infinity, Dates and other class instances, holes, cycles), for text with NUL characters or lone surrogates, for more
 * than 500 levels, and for more than `limitBytes` of UTF-8.
 */
export function toJson(given: unknown, what: string, limitBytes: number, hasSchema = false): JsonValue {
  const { value, problem } = read(given, hasSchema);
  if (problem) {
    const place = problem.path.length === 0 ? '' : `at ${what}${shownPath(problem.path)}: `;
    const wayOut =
      problem.fitsSchema && what === 'payload' ? ' A handler with a schema takes it as JSON does.' : '';
    throw new InvalidPayloadError(what, `${place}${problem.text}${wayOut}`);
  }
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > limitBytes) {
    throw new InvalidPayloadError(
      what,
      `is ${bytes} bytes as JSON, more than the limit of ${limitBytes}. Store large things elsewhere and pass a reference, or raise the module option payloadLimit.`,
    );
  }
  // Of one form with the empty objects that are written as such: code that is fast for those is fast for these.
  return text === '{}' ? {} : (JSON.parse(text) as JsonValue);
}

/** JSON in which the order of keys does not matter. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** What is wrong, and the way to it, which is only put together when something is. */
interface Problem {
  path: (string | number)[];
  text: string;
  /** Whether it would be taken where a schema checks what JSON makes of it. */
  fitsSchema?: boolean;
}

/** What is read may throw: a getter, a proxy. */
function read(given: unknown, hasSchema: boolean): { value: unknown; problem: Problem | null } {
  try {
    const first = problemOf(given, []);
    if (first === null) return { value: given, problem: null };
    const value = convertedToJson(given, hasSchema);
    return { value, problem: problemOf(value, []) };
  } catch (error) {
    const thrown = typeof error === 'object' && error !== null ? 'an object' : String(error);
    const why = error instanceof Error ? error.message : `${thrown} was thrown.`;
    return { value: given, problem: problem(`cannot be read: ${why}`) };
  }
}

function problemOf(value: unknown, above: readonly object[]): Problem | null {
  switch (typeof value) {
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : problem(`${value} is not JSON.`);
    case 'string':
      return textProblem(value);
    case 'object':
      return value === null ? null : objectProblem(value, above);
    case 'undefined':
      return problem(
        'undefined is not JSON. Leave the key out, or use null.',
        above.length > 0 && !Array.isArray(above.at(-1)),
      );
    case 'bigint':
      return problem(`the BigInt ${value} is not JSON.`);
    default:
      return problem(`a ${typeof value} is not JSON.`);
  }
}

function objectProblem(object: object, above: readonly object[]): Problem | null {
  if (above.includes(object)) return problem('refers back to something that contains it.');
  if (above.length >= maxDepth) return problem(`is nested more than ${maxDepth} levels deep.`);
  const inside = [...above, object];
  if (Array.isArray(object)) {
    // Not forEach: it passes over holes.
    for (let i = 0; i < object.length; i++) {
      const found = problemOf(object[i], inside);
      if (found) return under(i, found);
    }
    return null;
  }
  return kindProblem(object) ?? entriesProblem(object, inside);
}

function kindProblem(object: object): Problem | null {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    if (object instanceof Date) {
      const isValid = !Number.isNaN(object.getTime());
      return isValid
        ? problem('a Date is not JSON. Use toISOString().', true)
        : problem('an invalid Date is not JSON.');
    }
    const isData = Object.prototype.toString.call(object) === '[object Object]';
    const name = object.constructor?.name || 'a class';
    return problem(
      `an instance of ${name} is not JSON. Give a plain object${isData ? ', such as { ...it }, or the class a toJSON()' : ''}.`,
      isData,
    );
  }
  return Object.getOwnPropertySymbols(object).length > 0
    ? problem('has a symbol as a key, which is not JSON.')
    : null;
}

function entriesProblem(object: object, inside: readonly object[]): Problem | null {
  for (const [key, item] of Object.entries(object)) {
    const inKey = textProblem(key);
    if (inKey) return problem(`the key ${JSON.stringify(key)} ${inKey.text}`);
    const found = problemOf(item, inside);
    if (found) return under(key, found);
  }
  return null;
}

function textProblem(text: string): Problem | null {
  if (text.includes('\0')) return problem('holds a NUL character, which PostgreSQL cannot store.');
  if (loneSurrogate.test(text)) return problem('holds half of a surrogate pair, which is not valid Unicode.');
  return null;
}

function problem(text: string, fitsSchema = false): Problem {
  return { path: [], text, fitsSchema };
}

function under(key: string | number, found: Problem): Problem {
  found.path.unshift(key);
  return found;
}
