import type { JobOptions } from '../model/job.options.js';
import { InvalidOptionError } from '../model/errors.js';
import type { Callback, Policies } from '../model/policies.js';
import { taskTypeOf } from '../model/task.js';
import { handlerName, queueName } from './names.js';
import { knownOptions } from './option.checks.js';

const noTask =
  'A callback gets what became of the run, so it is a handler, which may create a job with a task of it.';

type Callbacks = Pick<Policies, 'onSuccess' | 'onFailure'>;

/** The callbacks among a job's options, validated. Throws InvalidOptionError. */
export function callbacksOf(options: Pick<JobOptions, keyof Callbacks>): Partial<Callbacks> {
  const callbacks: Partial<Callbacks> = {};
  for (const option of ['onSuccess', 'onFailure'] as const) {
    const given: unknown = options[option];
    if (given !== undefined) callbacks[option] = given === null ? null : callbackOf(given, option);
  }
  return callbacks;
}

/** The handlers that a job needs beside its own. */
export function callbackHandlers({ onSuccess, onFailure }: Partial<Policies>): string[] {
  return [onSuccess, onFailure].flatMap((callback) => (callback ? [callback.handler] : []));
}

function callbackOf(given: unknown, option: string): Callback {
  if (typeof given !== 'object') return { handler: callbackHandler(given, option) };
  const { handler, queue } = knownOptions(given, ['handler', 'queue'], option, { task: noTask });
  const name = callbackHandler(handler, `${option}.handler`);
  return queue === undefined
    ? { handler: name }
    : { handler: name, queue: queueName(queue, `${option}.queue`) };
}

function callbackHandler(given: unknown, option: string): string {
  const name = handlerName(given, option);
  if (taskTypeOf(name) === null) return name;
  throw new InvalidOptionError(option, `is "${name}", the executor of tasks. ${noTask}`);
}
