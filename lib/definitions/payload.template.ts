import { InvalidOptionError, InvalidPayloadError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { described } from '../scheduler/option.checks.js';

const paramKey = '$param';
const defaultKey = 'default';
const literalKey = '$literal';
/** RFC 6901: empty, or each key after a slash, in which `~` is `~0` and `/` is `~1`. */
const pointer = /^(?:\/(?:[^~/]|~[01])*)*$/u;

/**
 * A payload in which some values come from the params: `{ "$param": "/customer/id" }` stands for what the JSON Pointer (RFC 6901) names in them, of whatever type it is, and
 * `{ "$param": "/note", "default": null }` for that or, where there is none, the default. `{ "$literal": … }` stands for its content as it is. Text is never put together, so no param can become anything but
 * the value that it is. Throws InvalidOptionError where the template is wrong.
 */
export function assertTemplate(template: JsonValue, place = 'payload'): void {
  if (typeof template !== 'object' || template === null) return;
  if (Array.isArray(template)) {
    for (const [nth, item] of template.entries()) assertTemplate(item, `${place}[${nth}]`);
    return;
  }
  if (isMarked(template, literalKey)) return assertAlone(template, literalKey, [], place);
  if (isMarked(template, paramKey)) return assertParam(template, place);
  for (const [key, value] of Object.entries(template)) assertTemplate(value, `${place}.${key}`);
}

function assertParam(template: JsonObject, place: string): void {
  assertAlone(template, paramKey, [defaultKey], place);
  const path = template[paramKey];
  if (typeof path === 'string' && pointer.test(path)) return;
  throw new InvalidOptionError(
    place,
    `${paramKey} must be a JSON Pointer, such as "/customer/id", or "" for all params, but is ${described(path)}.`,
  );
}

/** What else it has would be lost. */
function assertAlone(template: JsonObject, mark: string, known: readonly string[], place: string): void {
  const stray = Object.keys(template).find((key) => key !== mark && !known.includes(key));
  if (stray === undefined) return;
  const wayOut = `To mean "${mark}" as it is, put the object into { "${literalKey}": … }.`;
  throw new InvalidOptionError(place, `has "${stray}" beside "${mark}". ${wayOut}`);
}

/** The payload. Throws InvalidPayloadError, which names the pointer: the params lack it, and there is no default. */
export function filledTemplate(template: JsonValue, params: JsonValue): JsonValue {
  if (typeof template !== 'object' || template === null) return template;
  if (Array.isArray(template)) return template.map((item) => filledTemplate(item, params));
  if (isMarked(template, literalKey)) return template[literalKey]!;
  if (isMarked(template, paramKey)) return valueOf(template, params);
  const entries = Object.entries(template).map(([key, value]) => [key, filledTemplate(value, params)]);
  return Object.fromEntries(entries) as JsonObject;
}

function valueOf(template: JsonObject, params: JsonValue): JsonValue {
  const path = template[paramKey] as string;
  const found = valueAt(params, path);
  if (found !== undefined) return found;
  if (isMarked(template, defaultKey)) return template[defaultKey]!;
  throw new InvalidPayloadError(
    'params',
    `have nothing at "${path}", which the payload of the definition needs. Give it, or the definition a default: { "${paramKey}": "${path}", "${defaultKey}": null }.`,
  );
}

function valueAt(params: JsonValue, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = params;
  for (const escaped of path.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    else value = isMarked(value, key) ? value[key] : undefined;
  }
  return value;
}

/** Its own, and not what every object has. */
function isMarked(value: JsonObject, key: string): boolean {
  return Object.hasOwn(value, key);
}
