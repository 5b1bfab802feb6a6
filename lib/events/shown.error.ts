import { beforeFrame } from '../model/error.text.js';
import { cut } from './shown.value.js';
import {
  causeOf,
  codeOf,
  errorsOf,
  framesOf,
  headOf,
  isError,
  messageOnly,
  nameOf,
  partsOf,
  type Part,
} from './thrown.parts.js';

// What was thrown, in words of a bounded length, whatever it is: nothing here throws.

const longestText = 16_384;
const longestMessage = 1_000;
const longestStack = 8_000;

/** What an error says of itself. `cause` and `errors` are as they are. */
export interface ErrorFields {
  name?: string;
  message: string;
  code?: string | number;
  /** With name and message before the frames, as V8 has it. */
  stack?: string;
  cause?: unknown;
  errors?: unknown[];
}

/**
 * What the ledger keeps: name and message, then those of all causes and of the parts of an AggregateError, a line for each, then the frames, which begin with four spaces and
 * `at`. Frames of this package and of Node are left out where there are others.
 */
export function errorText(error: unknown): string {
  const parts = partsOf(error);
  const heads = parts.map((part) => {
    const head = headOf(part.error, part.depth === 0 ? longestText : longestMessage);
    // What looks like a frame has to be one.
    return (labelOf(part) + head).replaceAll(beforeFrame, '\n   at ');
  });
  const shown = new Set<string>();
  const stacks = parts.flatMap((part) => {
    // Those that it shares with the ones before are there once.
    const frames = framesOf(part.error).filter((line) => !shown.has(line));
    for (const line of frames) shown.add(line);
    return frames.length === 0 || part.depth === 0 ? frames : [labelOf(part).trimEnd(), ...frames];
  });
  return cut([...heads, ...stacks].join('\n'), longestText);
}

/** The message, and what those of its causes and parts add to it. */
export function messageOf(error: unknown): string {
  const [outermost, ...others] = partsOf(error);
  const message = messageOnly(outermost.error, longestMessage);
  const added = others
    .map((part) => ({ ...part, text: messageOnly(part.error, longestMessage) }))
    .filter(({ text }) => !message.includes(text))
    .map(({ label, text }) => `${label}: ${text}`);
  return cut(added.length === 0 ? message : `${message} (${added.join('; ')})`, longestMessage);
}

/** Messages and frames, for a log; undefined: it is no error. */
export function stackOf(error: unknown): string | undefined {
  return isError(error) ? cut(errorText(error), longestStack) : undefined;
}

/** An error in its parts; of what is no error only `message`. */
export function errorFields(error: unknown, longest = longestMessage): ErrorFields {
  const message = messageOnly(error, longest);
  if (!isError(error)) return { message };
  const code = codeOf(error);
  const cause = causeOf(error);
  const errors = errorsOf(error);
  return {
    name: nameOf(error),
    message,
    ...(code === undefined ? {} : { code }),
    stack: cut([headOf(error, longest), ...framesOf(error)].join('\n'), longestStack),
    ...(cause === undefined ? {} : { cause }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function labelOf({ label, depth }: Part): string {
  return depth === 0 ? '' : `${'  '.repeat(depth)}${label}: `;
}
