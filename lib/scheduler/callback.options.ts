import type { JobOptions } from '../model/job.options.js';
import type { Callback, Policies } from '../model/policies.js';
import { handlerName, queueName } from './names.js';
import { knownOptions } from './option.checks.js';

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
  if (typeof given !== 'object') return { handler: handlerName(given, option) };
  const { handler, queue } = knownOptions(given, ['handler', 'queue'], option);
  const name = handlerName(handler, `${option}.handler`);
  return queue === undefined
    ? { handler: name }
    : { handler: name, queue: queueName(queue, `${option}.queue`) };
}
