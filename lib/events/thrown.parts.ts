import { types } from 'node:util';
import { chronisCodeOf } from '../model/recognized.js';
import { isA } from '../model/thrown.js';
import { isFrameOfNode, isOwnFrame } from './own.frames.js';
import { cut, read, shownValue } from './shown.value.js';

/** Of causes and parts, and theirs. */
const mostParts = 50;
/** Of an AggregateError. */
const mostChildren = 10;
const deepest = 5;
/** What of a stack is looked at. */
const longestRaw = 65_536;
const longestName = 100;

/** What was thrown, or one of its causes and parts. */
export interface Part {
  error: unknown;
  /** `cause`, or the number of the part; empty: it is the outermost. */
  label: string;
  depth: number;
}

/** Also one of another realm, such as those that Node makes for a test in Jest. */
export function isError(value: unknown): value is Error {
  return isA(value, Error) || types.isNativeError(value);
}

/** The outermost first, then each before its own parts and causes; none twice, and a bounded number of them. */
export function partsOf(error: unknown): [Part, ...Part[]] {
  const outermost: Part = { error, label: '', depth: 0 };
  const parts: [Part, ...Part[]] = [outermost];
  const seen = new Set<unknown>([error]);
  const addThoseOf = (part: Part): void => {
    if (!isError(part.error) || part.depth === deepest) return;
    const labelled = errorsOf(part.error).map((each, i): [unknown, string] => [each, `${i + 1}`]);
    const cause = causeOf(part.error);
    if (cause !== undefined) labelled.push([cause, 'cause']);
    for (const [each, label] of labelled) {
      if (parts.length === mostParts || seen.has(each)) continue;
      if (isError(each)) seen.add(each);
      const inner = { error: each, label, depth: part.depth + 1 };
      parts.push(inner);
      addThoseOf(inner);
    }
  };
  addThoseOf(outermost);
  return parts;
}

export function causeOf(error: Error): unknown {
  return read(() => error.cause);
}

/** Of an AggregateError; others, such as those of validators, may have errors in it as well. */
export function errorsOf(error: Error): unknown[] {
  const some = read(() => {
    const { errors } = error as { errors?: unknown };
    return Array.isArray(errors) ? (errors.slice(0, mostChildren) as unknown[]) : [];
  });
  return isA(error, AggregateError) ? (some ?? []) : (some ?? []).filter(isError);
}

export function codeOf(error: Error): string | number | undefined {
  const code = read(() => (error as { code?: unknown }).code);
  if (typeof code === 'string' && code !== '') return cut(code, longestName);
  return typeof code === 'number' ? code : undefined;
}

export function nameOf(error: Error): string {
  const name = read(() => error.name as unknown);
  return typeof name === 'string' && name !== '' ? cut(name, longestName) : 'Error';
}

/** Of an error without one its code or its name; what is no error is shown. */
export function messageOnly(error: unknown, longest: number): string {
  if (!isError(error)) return shownValue(error, longest);
  const message = read(() => error.message as unknown);
  if (message !== undefined && message !== '') return shownValue(message, longest);
  return String(codeOf(error) ?? nameOf(error));
}

/** Name and message. */
export function headOf(error: unknown, longest: number): string {
  const message = messageOnly(error, longest);
  if (!isError(error)) return message;
  const name = nameOf(error);
  return message === name ? name : `${name}: ${message}`;
}

/** Where it comes from: without frames of this package and of Node where there are others. */
export function framesOf(error: unknown): string[] {
  if (!isError(error)) return [];
  // `Error.prepareStackTrace` makes anything of it.
  const stack = read(() => error.stack as unknown);
  if (typeof stack !== 'string') return [];
  const message = read(() => error.message as unknown);
  const head = typeof message === 'string' ? stack.indexOf(message) : -1;
  const begin = head === -1 ? 0 : head + (message as string).length;
  const lines = stack.slice(begin, begin + longestRaw).split('\n');
  const frames = lines.filter((line) => /^\s+at \S/.test(line)).map((line) => `    ${line.trim()}`);
  const foreign = frames.filter((line) => !isOwnFrame(line));
  const theirs = foreign.filter((line) => !isFrameOfNode(line));
  if (theirs.length > 0) return theirs;
  // Our own errors say what is wrong; where they were made helps nobody.
  if (chronisCodeOf(error) !== null) return [];
  return foreign.length > 0 ? foreign : frames;
}
