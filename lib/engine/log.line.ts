import type { JsonObject } from '../model/json.js';
import { longestLogLine, type RunLogLevel } from '../model/run.log.js';
import { errorText } from '../events/shown.error.js';
import { read, shownValue } from '../events/shown.value.js';
import { isError } from '../events/thrown.parts.js';
import { usualRedactor, type Redactor } from '../events/redactor.js';
import { withoutPasswords } from '../events/without.passwords.js';
import type { EpochMs } from '../ports/epoch.ms.js';
import type { LoggedLine } from '../ports/run.logs.js';

/** A line with what it takes. */
export interface MeasuredLine {
  line: LoggedLine;
  bytes: number;
  /** So many before it are not kept. */
  dropped: number;
}

const unstorable = /\0|\p{Surrogate}/gu;
/** How JSON.stringify writes these; an even number of backslashes before it are text. */
const unstorableEscape = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][\da-f]{2})/g;
const mostFields = 200;

/** A line of a bounded length, of anything that a handler gives: nothing here throws. Passwords are left out, as of errors, and what the redactor hides. */
export function logLine(
  at: EpochMs,
  level: RunLogLevel,
  given: unknown,
  fields: object | null,
  redactor: Redactor = usualRedactor,
): MeasuredLine {
  const shown = isError(given) ? errorText(given) : shownValue(given, 2 * longestLogLine);
  const text = storable(redactor.seesWhole ? redactor.text(shown, 'run-log', 'message') : shown);
  const json = fields === null ? null : storableJson(fields, redactor, 'fields');
  const line: LoggedLine = { at, level, message: text };
  const size = Buffer.byteLength(text) + (json === null ? 0 : Buffer.byteLength(json));
  if (size > longestLogLine || text.length > 2 * longestLogLine) {
    // What does not fit whole is no JSON any more: its beginning is part of the message.
    line.message = cutTo(longestLogLine, json === null ? text : `${text} ${json}`);
    line.cut = true;
  } else if (json !== null) line.fields = JSON.parse(json) as JsonObject;
  return { line, bytes: Math.min(size, longestLogLine), dropped: 0 };
}

/** As JSON has it, without secrets; what JSON does not have is shown. `path`: where it stands in what is kept of the run. */
export function storableJson(fields: object, redactor: Redactor, path: string): string {
  const json = read(() => {
    const own = JSON.stringify(few(fields), withoutSecrets(redactor)) as string | undefined;
    if (own === undefined || !redactor.seesWhole) return own;
    const shown = redactor.value(JSON.parse(own), 'run-log', path);
    return JSON.stringify(isObject(shown) ? shown : { value: shown }) as string | undefined;
  });
  // Of keys: values are as they can be stored.
  if (json !== undefined && json.startsWith('{')) return json.replaceAll(unstorableEscape, '$1\u{FFFD}');
  return JSON.stringify({ value: storable(shownValue(fields, longestLogLine)) });
}

/** More make a line that is cut in any case. */
function few(fields: object): object {
  const keys = Object.keys(fields);
  if (keys.length <= mostFields || Array.isArray(fields)) return fields;
  return Object.fromEntries(keys.slice(0, mostFields).map((key) => [key, Reflect.get(fields, key)]));
}

function withoutSecrets(redactor: Redactor): (key: string, value: unknown) => unknown {
  return (key, value) => {
    if (redactor.hides(key, value)) return '***';
    if (typeof value === 'bigint') return String(value);
    if (isError(value)) return storable(errorText(value));
    return typeof value === 'string' ? storable(withoutPasswords(value.slice(0, 2 * longestLogLine))) : value;
  };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function storable(text: string): string {
  // PostgreSQL has no NUL in text, and UTF-8 no half of a pair.
  return text.replaceAll(unstorable, '\u{FFFD}');
}

function cutTo(bytes: number, text: string): string {
  const most = bytes - Buffer.byteLength('…');
  const kept = Buffer.from(text.slice(0, bytes)).subarray(0, most).toString();
  // A letter that was cut in two.
  return `${kept.replace(/\u{FFFD}+$/u, '')}…`;
}
