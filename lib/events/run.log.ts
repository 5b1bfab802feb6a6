import { InvalidOptionError } from '../model/errors.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import type { EventOrigin } from './event.origin.js';
import { Redactor, type RedactOption } from './redactor.js';
import { messageOf } from './shown.error.js';

/** How the run log is written. @publicApi */
export interface RunLogOptions {
  /** `text`: `job_id=… time=… status=…`, a line each · `json`: the same as an object. @default 'text' */
  format?: 'text' | 'json';
  /** Takes a line, without its end. @default what writes it to stdout */
  write?: (line: string) => void;
  /** `failures`: only those. @default 'all' */
  only?: 'all' | 'failures';
  /** What is hidden of errors beside the usual secrets, as the option `redact` of ChronisModule says it. @default nothing */
  redact?: RedactOption;
}

/** A line of the run log: an execution that has ended. @publicApi */
export interface RunLogLine {
  job_id: string;
  /** When it began, in ISO 8601; of one whose worker died, when that was found. */
  time: string;
  status: 'SUCCESS' | 'FAILURE';
  /** Left out for `default`. */
  namespace?: string;
  run_id: string;
  /** Left out where nobody knows. */
  attempt?: number;
  duration_ms?: number;
  /** How it failed. */
  outcome?: 'failed' | 'timed_out' | 'cancelled' | 'lost';
  /** The first line of what it failed by. */
  error?: string;
  /** When it is tried again; left out: it has given up. */
  retry_at?: string;
}

type Listener<N extends ChronisEventName> = (event: ChronisEventMap[N], origin: EventOrigin<N>) => void;
type Logged =
  | 'run.succeeded'
  | 'run.retrying'
  | 'run.failed'
  | 'run.timed_out'
  | 'run.cancelled'
  | 'run.lost'
  | 'workers.released';

const longestError = 300;

/**
 * Listeners that write a line for each execution of this process when it has ended: job, time, and SUCCESS or FAILURE, for the option `on` of ChronisModule. An attempt that is tried again is a FAILURE with `retry_at`. Throws InvalidOptionError.
 *
 * @example
 * ChronisModule.forRoot({ log: false, on: runLog({ format: 'json' }) })
 * @publicApi
 */
export function runLog(options: RunLogOptions = {}): { [N in Logged]: Listener<N> } {
  const { format = 'text', write = toStdout, only = 'all' } = options;
  const redactor = new Redactor(options.redact);
  assertOneOf(format, 'format', ['text', 'json']);
  assertOneOf(only, 'only', ['all', 'failures']);
  if (typeof write !== 'function')
    throw new InvalidOptionError('write', 'must be a function that takes a line.');
  const tell = (line: RunLogLine): void => write(format === 'json' ? JSON.stringify(line) : textOf(line));
  const failed =
    (outcome: RunLogLine['outcome']) =>
    (event: ChronisEventMap['run.lost'] & { error?: unknown; retryAt?: Date }, { at }: EventOrigin): void => {
      const { error, retryAt } = event;
      tell({
        ...about(event, at, 'FAILURE'),
        ...(outcome && { outcome }),
        ...(error === undefined ? {} : { error: firstLine(error, redactor) }),
        ...(retryAt && { retry_at: retryAt.toISOString() }),
      });
    };
  return {
    'run.succeeded': (event, { at }) => {
      if (only === 'all') tell(about(event, at, 'SUCCESS'));
    },
    'run.retrying': failed('failed'),
    'run.failed': failed('failed'),
    'run.timed_out': failed('timed_out'),
    'run.cancelled': (event, origin) => {
      if (event.hasBegun) failed('cancelled')(event, origin);
    },
    'run.lost': failed('lost'),
    'workers.released': ({ gaveUp }, { at }) => {
      for (const { jobId, namespace, runId } of gaveUp) {
        const time = at.toISOString();
        tell({
          job_id: jobId,
          time,
          status: 'FAILURE',
          ...placed(namespace),
          run_id: runId,
          outcome: 'lost',
        });
      }
    },
  };
}

function about(
  { jobId, namespace, runId, attempt, durationMs }: ChronisEventMap['run.lost'],
  endedAt: Date,
  status: RunLogLine['status'],
): RunLogLine {
  return {
    job_id: jobId,
    time: new Date(endedAt.getTime() - durationMs).toISOString(),
    status,
    ...placed(namespace),
    run_id: runId,
    attempt,
    duration_ms: Math.round(durationMs),
  };
}

function placed(namespace: string): { namespace?: string } {
  return namespace === 'default' ? {} : { namespace };
}

/** What ends a line, turns the direction of text around or is not seen. JSON leaves it as it is. */
const unseen = /[\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Values with blanks, quotes or signs are quoted as in JSON. */
function textOf(line: RunLogLine): string {
  return Object.entries(line)
    .map(([name, value]) => {
      const text = String(value);
      return `${name}=${/^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text).replace(unseen, escaped)}`;
    })
    .join(' ');
}

function firstLine(error: unknown, redactor: Redactor): string {
  // Before the cut: what is left of a secret is not seen to be one.
  return redactor.text(messageOf(error).split('\n', 1)[0]!, 'log', 'error').slice(0, longestError);
}

function toStdout(line: string): void {
  process.stdout.write(`${line}\n`);
}

function assertOneOf(given: unknown, option: string, known: readonly string[]): void {
  if (known.includes(given as string)) return;
  throw new InvalidOptionError(
    option,
    `of runLog() must be one of ${known.join(', ')}, but is ${JSON.stringify(given)}.`,
  );
}
