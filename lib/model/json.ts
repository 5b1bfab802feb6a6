import { InvalidPayloadError } from './errors.js';

/** A value that survives JSON unchanged: what payloads, metadata and results are made of. @publicApi */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** A JSON object. @publicApi */
export type JsonObject = { [key: string]: JsonValue };

/** Deeper nesting would overflow the stack of whoever reads it. */
const maxDepth = 500;

const loneSurrogate = /\p{Surrogate}/u;

/**
 * A copy of `value` if it is JSON that every storage keeps exactly, and its size in bytes. `what` names it in the error and is
 * the root of the culprit's path (`payload.items[3].price`).
 *
 * Throws InvalidPayloadError for everything that JSON would drop, change or refuse (undefined, functions, symbols, BigInt, NaN,
 * Infinity, Dates and other class instances, holes, cycles), for text with NUL characters or lone surrogates, for more
 * than 500 levels, and for more than `limitBytes` of UTF-8.
 */
export function toJson(
  value: unknown,
  what: string,
  limitBytes: number,
): { value: JsonValue; bytes: number } {
  assertJson(value, what, [], what);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > limitBytes) {
    throw new InvalidPayloadError(
      what,
      `is ${bytes} bytes as JSON, more than the limit of ${limitBytes}. Store large things elsewhere and pass a reference, or raise the module option payloadLimit.`,
    );
  }
  return { value: JSON.parse(text) as JsonValue, bytes };
}

function assertJson(value: unknown, path: string, above: readonly object[], what: string): void {
  const fail = (problem: string): never => {
    throw new InvalidPayloadError(what, path === what ? problem : `at ${path}: ${problem}`);
  };
  switch (typeof value) {
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) fail(`${value} is not JSON.`);
      return;
    case 'string':
      return assertText(value, fail);
    case 'object':
      if (value === null) return;
      break;
    default:
      fail(
        `${nameOf(value)} is not JSON.${typeof value === 'undefined' ? ' Leave the key out, or use null.' : ''}`,
      );
  }
  const object = value as object;
  if (above.includes(object)) fail('refers back to something that contains it.');
  if (above.length >= maxDepth) fail(`is nested more than ${maxDepth} levels deep.`);
  const inside = [...above, object];
  if (Array.isArray(object)) {
    // Not forEach: it passes over holes.
    for (let i = 0; i < object.length; i++) assertJson(object[i], `${path}[${i}]`, inside, what);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    fail(
      `${nameOf(object)} is not JSON. ${object instanceof Date ? 'Use toISOString().' : 'Give a plain object.'}`,
    );
  }
  if (Object.getOwnPropertySymbols(object).length > 0) fail('has a symbol as a key, which is not JSON.');
  for (const [key, item] of Object.entries(object)) {
    const itemPath = /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
    assertText(key, (problem) => fail(`the key ${JSON.stringify(key)} ${problem}`));
    if (key === 'toJSON' && typeof item === 'function') fail('has a method toJSON; give a plain object.');
    assertJson(item, itemPath, inside, what);
  }
}

function assertText(text: string, fail: (problem: string) => never): void {
  if (text.includes('\0')) fail('holds a NUL character, which PostgreSQL cannot store.');
  if (loneSurrogate.test(text)) fail('holds half of a surrogate pair, which is not valid Unicode.');
}

function nameOf(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'undefined';
    case 'bigint':
      return `the BigInt ${value}`;
    case 'object':
      return value instanceof Date ? 'a Date' : `an instance of ${value?.constructor?.name || 'a class'}`;
    default:
      return `a ${typeof value}`;
  }
}
